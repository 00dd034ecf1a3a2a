//! Reading, writing, copying and deleting objects.

use std::fs::File;
use std::io::{self, Seek, SeekFrom};
use std::ops::Range;

use futures::TryStreamExt;
use s3s::dto::{
    CopyObjectInput, CopyObjectOutput, CopyObjectResult, CopySource, DeleteObjectInput, DeleteObjectOutput,
    DeleteObjectsInput, DeleteObjectsOutput, DeletedObject, ETag, ETagCondition, GetObjectInput, GetObjectOutput,
    HeadObjectInput, HeadObjectOutput, MetadataDirective, PutObjectInput, PutObjectOutput, StreamingBlob, Timestamp,
};
use s3s::{S3Request, S3Result, s3_error};
use tokio::io::AsyncReadExt;
use tokio_util::io::ReaderStream;

use super::Service;
use crate::attributes::{Attributes, attributes_of};
use crate::condition::{ReadCondition, WriteCondition};
use crate::receive::{blocking, claims_of, receive};
use crate::staging::Staged;
use crate::store::{Found, Store, fault};

/// Bytes read from a file at a time.
const READ_BYTES: usize = 256 * 1024;

pub(super) async fn get(service: &Service, request: S3Request<GetObjectInput>) -> S3Result<GetObjectOutput> {
    let input = request.input;
    if input.part_number.is_some() {
        return Err(s3_error!(NotImplemented, "reading one part of an object is not supported"));
    }
    let condition = ReadCondition {
        if_match: input.if_match,
        if_none_match: input.if_none_match,
        if_modified_since: input.if_modified_since,
        if_unmodified_since: input.if_unmodified_since,
    };
    let (bucket, key, range) = (input.bucket, input.key, input.range);
    let (file, found, attributes, span) = service
        .with_store(move |store| {
            let (mut file, found) = store.open_object(&bucket, &key)?;
            condition.check(&found)?;
            let span = span(range.as_ref(), found.size)?;
            file.seek(SeekFrom::Start(span.start)).map_err(fault)?;
            let attributes = Attributes::of(&store.object(&bucket, &key)?);
            Ok((file, found, attributes, span))
        })
        .await?;
    let length = span.end - span.start;
    let reader = tokio::fs::File::from_std(file).take(length);
    let body = ReaderStream::with_capacity(reader, READ_BYTES).map_err(io::Error::other);
    let content_range = range.map(|_| format!("bytes {}-{}/{}", span.start, span.end.saturating_sub(1), found.size));
    Ok(GetObjectOutput {
        accept_ranges: Some("bytes".to_owned()),
        body: Some(StreamingBlob::wrap(body)),
        content_length: i64::try_from(length).ok(),
        content_range,
        e_tag: Some(ETag::Strong(found.etag)),
        last_modified: Some(Timestamp::from(found.modified)),
        cache_control: input.response_cache_control.or(attributes.cache_control),
        content_disposition: input.response_content_disposition.or(attributes.content_disposition),
        content_encoding: input.response_content_encoding.or(attributes.content_encoding),
        content_language: input.response_content_language.or(attributes.content_language),
        content_type: input.response_content_type.or(attributes.content_type),
        metadata: Some(attributes.metadata),
        ..GetObjectOutput::default()
    })
}

/// The bytes that a request wants.
fn span(range: Option<&s3s::dto::Range>, size: u64) -> S3Result<Range<u64>> {
    match range {
        None => Ok(0..size),
        Some(range) => range.check(size).map_err(|error| s3_error!(error, InvalidRange)),
    }
}

pub(super) async fn head(service: &Service, request: S3Request<HeadObjectInput>) -> S3Result<HeadObjectOutput> {
    let input = request.input;
    let condition = ReadCondition {
        if_match: input.if_match,
        if_none_match: input.if_none_match,
        if_modified_since: input.if_modified_since,
        if_unmodified_since: input.if_unmodified_since,
    };
    let (bucket, key) = (input.bucket, input.key);
    let (found, attributes) = service
        .with_store(move |store| {
            let (_, found) = store.open_object(&bucket, &key)?;
            condition.check(&found)?;
            Ok((found, Attributes::of(&store.object(&bucket, &key)?)))
        })
        .await?;
    Ok(HeadObjectOutput {
        accept_ranges: Some("bytes".to_owned()),
        content_length: i64::try_from(found.size).ok(),
        e_tag: Some(ETag::Strong(found.etag)),
        last_modified: Some(Timestamp::from(found.modified)),
        cache_control: attributes.cache_control,
        content_disposition: attributes.content_disposition,
        content_encoding: attributes.content_encoding,
        content_language: attributes.content_language,
        content_type: attributes.content_type,
        metadata: Some(attributes.metadata),
        ..HeadObjectOutput::default()
    })
}

pub(super) async fn put(service: &Service, mut request: S3Request<PutObjectInput>) -> S3Result<PutObjectOutput> {
    // Refused before the body is read, where that is possible.
    let target = service.store.object(&request.input.bucket, &request.input.key)?;
    let claims = claims_of!(request);
    let attributes = attributes_of!(request.input);
    let condition =
        WriteCondition { if_match: request.input.if_match.take(), if_none_match: request.input.if_none_match.take() };
    let (file, staged, checksum) = receive(&service.store, request.input.body.take(), claims).await?;
    let found = service
        .with_store(move |store| {
            attributes.write(&file)?;
            drop(file);
            store.commit(staged, &target, &condition)
        })
        .await?;
    Ok(PutObjectOutput {
        e_tag: Some(ETag::Strong(found.etag)),
        checksum_crc32: checksum.checksum_crc32,
        checksum_crc32c: checksum.checksum_crc32c,
        checksum_crc64nvme: checksum.checksum_crc64nvme,
        checksum_sha1: checksum.checksum_sha1,
        checksum_sha256: checksum.checksum_sha256,
        ..PutObjectOutput::default()
    })
}

pub(super) async fn copy(service: &Service, mut request: S3Request<CopyObjectInput>) -> S3Result<CopyObjectOutput> {
    let if_none_match = request.headers.get(http::header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let if_none_match = (if_none_match == Some("*")).then_some(ETagCondition::Any);
    let input = &mut request.input;
    let condition = WriteCondition { if_match: None, if_none_match };
    let source_condition = ReadCondition {
        if_match: input.copy_source_if_match.take(),
        if_none_match: input.copy_source_if_none_match.take(),
        if_modified_since: input.copy_source_if_modified_since.take(),
        if_unmodified_since: input.copy_source_if_unmodified_since.take(),
    };
    let replaces = input.metadata_directive.as_ref().is_some_and(|it| it.as_str() == MetadataDirective::REPLACE);
    let replacement = replaces.then(|| attributes_of!(input));
    let (source_bucket, source_key) = source(&input.copy_source)?;
    let (bucket, key) = (input.bucket.clone(), input.key.clone());
    let found = service
        .with_store(move |store| {
            let target = store.object(&bucket, &key)?;
            let (mut from, found) = store.open_object(&source_bucket, &source_key)?;
            source_condition.check_source(&found)?;
            let attributes = match replacement {
                Some(attributes) => attributes,
                None => Attributes::of(&store.object(&source_bucket, &source_key)?),
            };
            let (file, staged) = duplicate(store, &mut from, 0..found.size)?;
            attributes.write(&file)?;
            store.commit(staged, &target, &condition)
        })
        .await?;
    let copy_object_result = CopyObjectResult {
        e_tag: Some(ETag::Strong(found.etag)),
        last_modified: Some(Timestamp::from(found.modified)),
        ..CopyObjectResult::default()
    };
    Ok(CopyObjectOutput { copy_object_result: Some(copy_object_result), ..CopyObjectOutput::default() })
}

/// Bucket and key that a copy reads.
pub(super) fn source(source: &CopySource) -> S3Result<(String, String)> {
    match source {
        CopySource::Bucket { bucket, key, version_id: None } => Ok((bucket.to_string(), key.to_string())),
        _ => Err(s3_error!(NotImplemented, "only current objects of buckets can be copied")),
    }
}

/// A new file with a part of another, on its way in.
pub(super) fn duplicate(store: &Store, from: &mut File, span: Range<u64>) -> S3Result<(File, Staged)> {
    let (mut file, staged) = store.stage()?;
    from.seek(SeekFrom::Start(span.start)).map_err(fault)?;
    let length = span.end - span.start;
    let copied = io::copy(&mut io::Read::take(from, length), &mut file).map_err(fault)?;
    if copied == length { Ok((file, staged)) } else { Err(s3_error!(InternalError, "the source of the copy shrank")) }
}

pub(super) async fn delete(service: &Service, request: S3Request<DeleteObjectInput>) -> S3Result<DeleteObjectOutput> {
    let DeleteObjectInput { bucket, key, version_id, .. } = request.input;
    if version_id.is_some() {
        return Err(s3_error!(NotImplemented, "there are no versions of objects"));
    }
    service.with_store(move |store| store.remove(&bucket, &key)).await?;
    Ok(DeleteObjectOutput::default())
}

pub(super) async fn delete_many(
    service: &Service,
    request: S3Request<DeleteObjectsInput>,
) -> S3Result<DeleteObjectsOutput> {
    let DeleteObjectsInput { bucket, delete, .. } = request.input;
    let store = service.store.clone();
    blocking(move || {
        store.bucket(&bucket)?;
        let (mut deleted, mut errors) = (Vec::new(), Vec::new());
        for object in delete.objects {
            match store.remove(&bucket, &object.key) {
                Ok(()) => deleted.push(DeletedObject { key: Some(object.key), ..DeletedObject::default() }),
                Err(error) => errors.push(s3s::dto::Error {
                    code: Some(error.code().as_str().to_owned()),
                    key: Some(object.key),
                    message: error.message().map(str::to_owned),
                    version_id: None,
                }),
            }
        }
        let deleted = (!delete.quiet.unwrap_or_default()).then_some(deleted);
        Ok(DeleteObjectsOutput { deleted, errors: Some(errors), ..DeleteObjectsOutput::default() })
    })
    .await
}

/// The ETag of an answer.
pub(super) fn etag(found: &Found) -> Option<ETag> {
    Some(ETag::Strong(found.etag.clone()))
}
