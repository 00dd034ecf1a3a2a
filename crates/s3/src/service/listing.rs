//! Listing objects.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use s3s::dto::{
    CommonPrefix, EncodingType, ListObjectsInput, ListObjectsOutput, ListObjectsV2Input, ListObjectsV2Output, Object,
    Timestamp,
};
use s3s::{S3Request, S3Result, s3_error};

use super::Service;
use super::objects::etag;
use crate::list::{self, After, Page, Query};
use crate::store::fault;

const ENTRIES_MAX: i32 = 1000;

/// What stays as it is when a client asks for keys in URL encoding.
const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.').remove(b'*');

pub(super) async fn list_v2(
    service: &Service,
    request: S3Request<ListObjectsV2Input>,
) -> S3Result<ListObjectsV2Output> {
    let input = request.input;
    let after = match (&input.continuation_token, &input.start_after) {
        (Some(token), _) => After::from_token(token)
            .ok_or_else(|| s3_error!(InvalidArgument, "the continuation token is not of this server"))?,
        (None, Some(key)) if !key.is_empty() => After::Key(key.clone()),
        _ => After::Nothing,
    };
    let max_keys = limit(input.max_keys)?;
    let page = page(service, &input.bucket, (&input.prefix, &input.delimiter), after, max_keys).await?;
    let names = Names::of(input.encoding_type.as_ref());
    let next = page.next.as_ref().map(After::to_token);
    Ok(ListObjectsV2Output {
        common_prefixes: Some(names.prefixes(&page)),
        contents: Some(names.objects(&page)),
        continuation_token: input.continuation_token,
        delimiter: input.delimiter.map(|text| names.write(&text)),
        encoding_type: input.encoding_type,
        is_truncated: Some(next.is_some()),
        key_count: i32::try_from(page.objects.len() + page.prefixes.len()).ok(),
        max_keys: Some(max_keys),
        name: Some(input.bucket),
        next_continuation_token: next,
        prefix: Some(names.write(&input.prefix.unwrap_or_default())),
        start_after: input.start_after.map(|text| names.write(&text)),
        ..ListObjectsV2Output::default()
    })
}

/// The first version of the operation, in which the client makes the next page's beginning out of what it has got.
pub(super) async fn list(service: &Service, request: S3Request<ListObjectsInput>) -> S3Result<ListObjectsOutput> {
    let input = request.input;
    let delimiter = input.delimiter.as_deref().unwrap_or_default();
    let prefix_len = input.prefix.as_deref().map_or(0, str::len);
    let after = match &input.marker {
        // A marker that is a folded entry stands for everything in it.
        Some(marker) if !delimiter.is_empty() && marker.len() > prefix_len && marker.ends_with(delimiter) => {
            After::Prefix(marker.clone())
        }
        Some(marker) if !marker.is_empty() => After::Key(marker.clone()),
        _ => After::Nothing,
    };
    let max_keys = limit(input.max_keys)?;
    let page = page(service, &input.bucket, (&input.prefix, &input.delimiter), after, max_keys).await?;
    let names = Names::of(input.encoding_type.as_ref());
    let next = page.next.as_ref().map(|after| match after {
        After::Nothing => String::new(),
        After::Key(text) | After::Prefix(text) => names.write(text),
    });
    Ok(ListObjectsOutput {
        common_prefixes: Some(names.prefixes(&page)),
        contents: Some(names.objects(&page)),
        delimiter: input.delimiter.map(|text| names.write(&text)),
        encoding_type: input.encoding_type,
        is_truncated: Some(next.is_some()),
        marker: Some(names.write(&input.marker.unwrap_or_default())),
        max_keys: Some(max_keys),
        name: Some(input.bucket),
        next_marker: next,
        prefix: Some(names.write(&input.prefix.unwrap_or_default())),
        ..ListObjectsOutput::default()
    })
}

fn limit(max_keys: Option<i32>) -> S3Result<i32> {
    match max_keys.unwrap_or(ENTRIES_MAX) {
        negative if negative < 0 => Err(s3_error!(InvalidArgument, "max-keys must not be negative")),
        wanted => Ok(wanted.min(ENTRIES_MAX)),
    }
}

async fn page(
    service: &Service,
    bucket: &str,
    (prefix, delimiter): (&Option<String>, &Option<String>),
    after: After,
    max_keys: i32,
) -> S3Result<Page> {
    let bucket = bucket.to_owned();
    let query = Query {
        prefix: prefix.clone().unwrap_or_default(),
        delimiter: delimiter.clone(),
        after,
        max: usize::try_from(max_keys).unwrap_or_default(),
    };
    service.with_store(move |store| list::page(&store.bucket(&bucket)?, &query).map_err(fault)).await
}

/// How names are written in the answer.
struct Names {
    encoded: bool,
}

impl Names {
    fn of(encoding: Option<&EncodingType>) -> Self {
        Self { encoded: encoding.is_some_and(|encoding| encoding.as_str() == EncodingType::URL) }
    }

    fn write(&self, name: &str) -> String {
        if self.encoded { utf8_percent_encode(name, KEPT).to_string() } else { name.to_owned() }
    }

    fn objects(&self, page: &Page) -> Vec<Object> {
        let object = |(key, found): &(String, crate::store::Found)| Object {
            key: Some(self.write(key)),
            e_tag: etag(found),
            last_modified: Some(Timestamp::from(found.modified)),
            size: i64::try_from(found.size).ok(),
            ..Object::default()
        };
        page.objects.iter().map(object).collect()
    }

    fn prefixes(&self, page: &Page) -> Vec<CommonPrefix> {
        page.prefixes.iter().map(|prefix| CommonPrefix { prefix: Some(self.write(prefix)) }).collect()
    }
}
