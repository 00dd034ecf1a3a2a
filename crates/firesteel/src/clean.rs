//! `firesteel clean`: deletes a job's shuffle files.

use futures::TryStreamExt;
use object_store::{ObjectStore, ObjectStoreExt};

use firesteel_k8s::Manifest;
use firesteel_k8s::build::executor::shuffle_folder;
use firesteel_model::{SparkError, error_class};
use firesteel_sources::stores::StoreRegistry;

use crate::arguments::Clean;
use crate::data::Data;
use crate::failure::Failure;

/// Deletes everything in the job's own folder below `storage.shuffle.url`. What is gone already is no mistake.
pub(crate) async fn clean(arguments: Clean) -> Result<(), Failure> {
    let file = arguments.job.display().to_string();
    let job = Manifest::read(&arguments.job, &[])?.into_job(&file)?;
    if job.spec.storage.shuffle.is_none() {
        return Ok(());
    }
    let nameless = || Failure::Usage(format!("{file} has no metadata.uid, which names the job's folder"));
    let folder = shuffle_folder(&job).ok_or_else(nameless)?;
    let data = Data::of_pod(&job.spec.storage.connections, &arguments.storage)?;
    let location = StoreRegistry::new(data.connections).resolve(&folder)?;
    let failed = |error: object_store::Error| {
        Failure::from(SparkError::new(&error_class::FAILED_READ_FILE_NO_HINT).param("path", &folder).source(error))
    };
    let mut found = location.store.list(Some(&location.path));
    let mut count = 0_u64;
    while let Some(object) = found.try_next().await.map_err(failed)? {
        match location.store.delete(&object.location).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => count += 1,
            Err(error) => return Err(failed(error)),
        }
    }
    tracing::info!(folder, count, "deleted shuffle files");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_jobs_own_folder_goes() {
        let folder = tempfile::tempdir().unwrap();
        let data = Data::folder(&folder.path().join("data")).await.unwrap();
        for file in ["u-1/0/a", "u-1/b", "u-2/c"] {
            let path = folder.path().join("data/bucket/shuffle").join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "x").unwrap();
        }
        let connection = &data.connections[0];
        let secrets = folder.path().join("storage/0/credentials");
        std::fs::create_dir_all(&secrets).unwrap();
        std::fs::write(secrets.join("AWS_ACCESS_KEY_ID"), connection.access_key.as_ref().unwrap()).unwrap();
        std::fs::write(secrets.join("AWS_SECRET_ACCESS_KEY"), connection.secret_key.as_ref().unwrap()).unwrap();
        let endpoint = connection.endpoint.as_ref().unwrap();
        let job = serde_json::json!({ "apiVersion": "firesteel.dev/v1alpha1", "kind": "SparkJob",
            "metadata": { "name": "x", "uid": "u-1" }, "spec": { "main": { "sql": { "text": "SELECT 1" } }, "storage": {
                "connections": [{ "name": "a", "endpoint": endpoint, "pathStyle": true, "credentialsSecret": "s" }],
                "shuffle": { "url": "s3://bucket/shuffle" } } } });
        let file = folder.path().join("job.json");
        std::fs::write(&file, job.to_string()).unwrap();
        clean(Clean { job: file, storage: folder.path().join("storage") }).await.unwrap();
        let shuffle = folder.path().join("data/bucket/shuffle");
        assert!(!shuffle.join("u-1/b").exists() && !shuffle.join("u-1/0/a").exists());
        assert!(shuffle.join("u-2/c").exists());
        data.shutdown().await;
    }
}
