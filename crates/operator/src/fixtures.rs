//! Resources for tests.

use firesteel_k8s::{Manifest, SparkJob};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

/// The second at which the tests' resources were made.
pub(crate) const CREATED: i64 = 1_000_000;

/// A job called `sales` with this spec, as the API would give it out.
pub(crate) fn job(spec: &str) -> SparkJob {
    let text = format!(
        "apiVersion: firesteel.dev/v1alpha1\nkind: SparkJob\nmetadata: {{name: sales, namespace: default}}\nspec: {spec}"
    );
    let mut job = Manifest::parse(&text, "job.yaml", &[]).unwrap().into_job("job.yaml").unwrap();
    job.metadata.uid = Some("u-sales".to_owned());
    job.metadata.generation = Some(1);
    job.metadata.resource_version = Some("1".to_owned());
    job.metadata.creation_timestamp = Some(Time(Timestamp::from_second(CREATED).unwrap()));
    job
}
