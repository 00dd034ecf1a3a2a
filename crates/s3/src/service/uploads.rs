//! Uploads in parts, as the protocol has them.

use s3s::dto::{
    AbortMultipartUploadInput, AbortMultipartUploadOutput, CompleteMultipartUploadInput, CompleteMultipartUploadOutput,
    CopyPartResult, CreateMultipartUploadInput, CreateMultipartUploadOutput, ETag, ListMultipartUploadsInput,
    ListMultipartUploadsOutput, ListPartsInput, ListPartsOutput, MultipartUpload, Part, Range, Timestamp,
    UploadPartCopyInput, UploadPartCopyOutput, UploadPartInput, UploadPartOutput,
};
use s3s::{S3Request, S3Result, s3_error};

use super::Service;
use super::objects::{duplicate, etag, source};
use crate::attributes::attributes_of;
use crate::condition::{ReadCondition, WriteCondition};
use crate::receive::{claims_of, receive};

pub(super) async fn create(
    service: &Service,
    mut request: S3Request<CreateMultipartUploadInput>,
) -> S3Result<CreateMultipartUploadOutput> {
    let attributes = attributes_of!(request.input);
    let input = request.input;
    service.store.object(&input.bucket, &input.key)?;
    let id = service.uploads.create(&input.bucket, &input.key, attributes);
    Ok(CreateMultipartUploadOutput {
        bucket: Some(input.bucket),
        key: Some(input.key),
        upload_id: Some(id),
        ..CreateMultipartUploadOutput::default()
    })
}

pub(super) async fn part(service: &Service, mut request: S3Request<UploadPartInput>) -> S3Result<UploadPartOutput> {
    let claims = claims_of!(request);
    let mut input = request.input;
    service.uploads.exists(&input.upload_id, &input.bucket, &input.key)?;
    let (_, staged, checksum) = receive(&service.store, input.body.take(), claims).await?;
    let found = service.uploads.add_part(&input.upload_id, &input.bucket, &input.key, input.part_number, staged)?;
    Ok(UploadPartOutput {
        e_tag: etag(&found),
        checksum_crc32: checksum.checksum_crc32,
        checksum_crc32c: checksum.checksum_crc32c,
        checksum_crc64nvme: checksum.checksum_crc64nvme,
        checksum_sha1: checksum.checksum_sha1,
        checksum_sha256: checksum.checksum_sha256,
        ..UploadPartOutput::default()
    })
}

pub(super) async fn part_copy(
    service: &Service,
    request: S3Request<UploadPartCopyInput>,
) -> S3Result<UploadPartCopyOutput> {
    let input = request.input;
    let condition = ReadCondition {
        if_match: input.copy_source_if_match,
        if_none_match: input.copy_source_if_none_match,
        if_modified_since: input.copy_source_if_modified_since,
        if_unmodified_since: input.copy_source_if_unmodified_since,
    };
    let (source_bucket, source_key) = source(&input.copy_source)?;
    let range = input.copy_source_range.as_deref().map(Range::parse).transpose();
    let range = range.map_err(|error| s3_error!(error, InvalidArgument))?;
    let uploads = service.uploads.clone();
    let found = service
        .with_store(move |store| {
            uploads.exists(&input.upload_id, &input.bucket, &input.key)?;
            let (mut from, found) = store.open_object(&source_bucket, &source_key)?;
            condition.check_source(&found)?;
            let span = match range {
                None => 0..found.size,
                Some(range) => range.check(found.size).map_err(|error| s3_error!(error, InvalidRange))?,
            };
            let (_, staged) = duplicate(store, &mut from, span)?;
            uploads.add_part(&input.upload_id, &input.bucket, &input.key, input.part_number, staged)
        })
        .await?;
    let result = CopyPartResult {
        e_tag: etag(&found),
        last_modified: Some(Timestamp::from(found.modified)),
        ..CopyPartResult::default()
    };
    Ok(UploadPartCopyOutput { copy_part_result: Some(result), ..UploadPartCopyOutput::default() })
}

pub(super) async fn complete(
    service: &Service,
    request: S3Request<CompleteMultipartUploadInput>,
) -> S3Result<CompleteMultipartUploadOutput> {
    let input = request.input;
    let (bucket, key) = (input.bucket.clone(), input.key.clone());
    let condition = WriteCondition { if_match: input.if_match, if_none_match: input.if_none_match };
    let named = input.multipart_upload.and_then(|upload| upload.parts).unwrap_or_default();
    let uploads = service.uploads.clone();
    let found = service
        .with_store(move |store| {
            uploads.complete(store, (&input.upload_id, &input.bucket, &input.key), &named, &condition)
        })
        .await?;
    Ok(CompleteMultipartUploadOutput {
        bucket: Some(bucket),
        key: Some(key),
        e_tag: Some(ETag::Strong(found.etag)),
        ..CompleteMultipartUploadOutput::default()
    })
}

pub(super) async fn abort(
    service: &Service,
    request: S3Request<AbortMultipartUploadInput>,
) -> S3Result<AbortMultipartUploadOutput> {
    let input = request.input;
    let uploads = service.uploads.clone();
    service.with_store(move |_| uploads.abort(&input.upload_id, &input.bucket, &input.key)).await?;
    Ok(AbortMultipartUploadOutput::default())
}

pub(super) async fn list_parts(service: &Service, request: S3Request<ListPartsInput>) -> S3Result<ListPartsOutput> {
    let input = request.input;
    let parts = service.uploads.parts(&input.upload_id, &input.bucket, &input.key)?;
    let first = input.part_number_marker.unwrap_or_default();
    let max = usize::try_from(input.max_parts.unwrap_or(1000)).unwrap_or_default().min(1000);
    let mut rest = parts.iter().filter(|(number, _)| *number > first);
    let shown: Vec<Part> = rest
        .by_ref()
        .take(max)
        .map(|(number, found)| Part {
            part_number: Some(*number),
            e_tag: etag(found),
            last_modified: Some(Timestamp::from(found.modified)),
            size: i64::try_from(found.size).ok(),
            ..Part::default()
        })
        .collect();
    Ok(ListPartsOutput {
        is_truncated: Some(rest.next().is_some()),
        next_part_number_marker: shown.last().and_then(|part| part.part_number),
        parts: Some(shown),
        bucket: Some(input.bucket),
        key: Some(input.key),
        upload_id: Some(input.upload_id),
        ..ListPartsOutput::default()
    })
}

/// All uploads of the bucket on one page; there are never many.
pub(super) async fn list(
    service: &Service,
    request: S3Request<ListMultipartUploadsInput>,
) -> S3Result<ListMultipartUploadsOutput> {
    let input = request.input;
    service.store.bucket(&input.bucket)?;
    let prefix = input.prefix.clone().unwrap_or_default();
    let uploads = service.uploads.of_bucket(&input.bucket).into_iter().filter(|(key, _)| key.starts_with(&prefix));
    let uploads = uploads
        .map(|(key, id)| MultipartUpload { key: Some(key), upload_id: Some(id), ..MultipartUpload::default() })
        .collect();
    Ok(ListMultipartUploadsOutput {
        bucket: Some(input.bucket),
        is_truncated: Some(false),
        prefix: input.prefix,
        uploads: Some(uploads),
        ..ListMultipartUploadsOutput::default()
    })
}
