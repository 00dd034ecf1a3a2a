//! The operations of S3, as `s3s` decodes them.
//!
//! `objects`, `listing` and `uploads` hold their meaning; this is the list of what is offered. Everything else answers
//! `NotImplemented`.

mod listing;
mod objects;
mod uploads;

use std::sync::Arc;

use s3s::dto;
use s3s::{S3, S3Request, S3Response, S3Result};

use crate::receive::blocking;
use crate::store::{Store, fault};
use crate::upload::Uploads;

/// The server's operations over a data folder.
#[derive(Clone, Debug)]
pub(crate) struct Service {
    store: Arc<Store>,
    uploads: Arc<Uploads>,
}

impl Service {
    pub(crate) fn new(store: Arc<Store>) -> Self {
        Self { store, uploads: Arc::default() }
    }

    /// Runs `work` on a thread that may block.
    async fn with_store<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Store) -> S3Result<T> + Send + 'static,
    ) -> S3Result<T> {
        let store = self.store.clone();
        blocking(move || work(&store)).await
    }
}

/// Declares an operation and the function that has its meaning.
macro_rules! operations {
    ($($name:ident($input:ident) -> $output:ident = $module:ident::$function:ident;)*) => {
        #[async_trait::async_trait]
        impl S3 for Service {
            async fn create_bucket(
                &self,
                request: S3Request<dto::CreateBucketInput>,
            ) -> S3Result<S3Response<dto::CreateBucketOutput>> {
                self.with_store(move |store| store.create_bucket(&request.input.bucket)).await?;
                Ok(S3Response::new(dto::CreateBucketOutput::default()))
            }

            async fn delete_bucket(
                &self,
                request: S3Request<dto::DeleteBucketInput>,
            ) -> S3Result<S3Response<dto::DeleteBucketOutput>> {
                self.with_store(move |store| store.delete_bucket(&request.input.bucket)).await?;
                Ok(S3Response::new(dto::DeleteBucketOutput::default()))
            }

            async fn head_bucket(
                &self,
                request: S3Request<dto::HeadBucketInput>,
            ) -> S3Result<S3Response<dto::HeadBucketOutput>> {
                self.with_store(move |store| store.bucket(&request.input.bucket)).await?;
                Ok(S3Response::new(dto::HeadBucketOutput::default()))
            }

            async fn get_bucket_location(
                &self,
                request: S3Request<dto::GetBucketLocationInput>,
            ) -> S3Result<S3Response<dto::GetBucketLocationOutput>> {
                self.with_store(move |store| store.bucket(&request.input.bucket)).await?;
                Ok(S3Response::new(dto::GetBucketLocationOutput::default()))
            }

            async fn list_buckets(
                &self,
                _request: S3Request<dto::ListBucketsInput>,
            ) -> S3Result<S3Response<dto::ListBucketsOutput>> {
                let buckets = self.with_store(|store| store.buckets().map_err(fault)).await?;
                let bucket = |(name, created): (String, std::time::SystemTime)| dto::Bucket {
                    name: Some(name),
                    creation_date: Some(created.into()),
                    ..dto::Bucket::default()
                };
                let buckets = Some(buckets.into_iter().map(bucket).collect());
                Ok(S3Response::new(dto::ListBucketsOutput { buckets, ..dto::ListBucketsOutput::default() }))
            }

            $(
                async fn $name(&self, request: S3Request<dto::$input>) -> S3Result<S3Response<dto::$output>> {
                    Ok(S3Response::new($module::$function(self, request).await?))
                }
            )*
        }
    };
}

operations! {
    get_object(GetObjectInput) -> GetObjectOutput = objects::get;
    head_object(HeadObjectInput) -> HeadObjectOutput = objects::head;
    put_object(PutObjectInput) -> PutObjectOutput = objects::put;
    copy_object(CopyObjectInput) -> CopyObjectOutput = objects::copy;
    delete_object(DeleteObjectInput) -> DeleteObjectOutput = objects::delete;
    delete_objects(DeleteObjectsInput) -> DeleteObjectsOutput = objects::delete_many;
    list_objects(ListObjectsInput) -> ListObjectsOutput = listing::list;
    list_objects_v2(ListObjectsV2Input) -> ListObjectsV2Output = listing::list_v2;
    create_multipart_upload(CreateMultipartUploadInput) -> CreateMultipartUploadOutput = uploads::create;
    upload_part(UploadPartInput) -> UploadPartOutput = uploads::part;
    upload_part_copy(UploadPartCopyInput) -> UploadPartCopyOutput = uploads::part_copy;
    complete_multipart_upload(CompleteMultipartUploadInput) -> CompleteMultipartUploadOutput = uploads::complete;
    abort_multipart_upload(AbortMultipartUploadInput) -> AbortMultipartUploadOutput = uploads::abort;
    list_parts(ListPartsInput) -> ListPartsOutput = uploads::list_parts;
    list_multipart_uploads(ListMultipartUploadsInput) -> ListMultipartUploadsOutput = uploads::list;
}
