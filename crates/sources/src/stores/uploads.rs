//! [`OpenUploads`]: a bucket's uploads that were begun and neither completed nor aborted.

use std::collections::BTreeSet;
use std::fmt;
use std::io;

use http::{Method, Request, StatusCode, Uri};
use object_store::aws::{AwsAuthorizer, AwsCredentialProvider};
use object_store::client::{HttpClient, HttpRequestBody};
use object_store::path::Path;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

/// How many answers of 1000 uploads are looked at; others than ours may be among them.
const PAGES_MAX: usize = 10;
/// How often an answer is asked for.
const TRIES: usize = 3;

/// Lists uploads, which the object store's client cannot.
///
/// Guarantees: `Debug` shows no secret.
pub(crate) struct OpenUploads {
    pub(super) http: HttpClient,
    /// The bucket's address.
    pub(super) address: String,
    pub(super) region: String,
    pub(super) credentials: AwsCredentialProvider,
}

impl fmt::Debug for OpenUploads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenUploads").field("address", &self.address).finish_non_exhaustive()
    }
}

/// Where an upload goes, and its id.
pub(crate) type OpenUpload = (Path, String);

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Listing {
    upload: Vec<Upload>,
    is_truncated: bool,
    next_key_marker: Option<String>,
    next_upload_id_marker: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Upload {
    key: String,
    upload_id: String,
}

impl OpenUploads {
    /// Those to keys below `folder` that hold `part`.
    pub(crate) async fn below(&self, folder: &Path, part: &str) -> io::Result<BTreeSet<OpenUpload>> {
        let folder = format!("{folder}/");
        let mut found = BTreeSet::new();
        // MinIO takes a prefix for a whole key, and knows all uploads only where there is none.
        for prefix in [folder.as_str(), ""] {
            let mut page = Listing { is_truncated: true, ..Listing::default() };
            for _ in 0..PAGES_MAX {
                if !page.is_truncated {
                    break;
                }
                page = self.page(prefix, &page).await?;
                let ours =
                    page.upload.iter().filter(|upload| upload.key.starts_with(&folder) && upload.key.contains(part));
                for upload in ours {
                    found.insert((Path::parse(&upload.key).map_err(io::Error::other)?, upload.upload_id.clone()));
                }
            }
            if !found.is_empty() {
                break;
            }
        }
        Ok(found)
    }

    async fn page(&self, prefix: &str, last: &Listing) -> io::Result<Listing> {
        let mut tries = 0;
        loop {
            tries += 1;
            match self.asked(prefix, last).await {
                Err(error) if tries == TRIES => return Err(error),
                Err(error) => tracing::debug!(%error, "open uploads could not be listed"),
                listing => return listing,
            }
        }
    }

    async fn asked(&self, prefix: &str, last: &Listing) -> io::Result<Listing> {
        // A signature is made over the parameters in their order.
        let parameters = [
            ("key-marker", last.next_key_marker.as_deref().unwrap_or_default()),
            ("prefix", prefix),
            ("upload-id-marker", last.next_upload_id_marker.as_deref().unwrap_or_default()),
        ];
        let mut address = format!("{}?", self.address);
        for (name, value) in parameters.into_iter().filter(|(_, value)| !value.is_empty()) {
            address.push_str(&format!("{name}={}&", utf8_percent_encode(value, NON_ALPHANUMERIC)));
        }
        address.push_str("uploads=");
        let uri: Uri = address.parse().map_err(io::Error::other)?;
        let request = Request::builder().method(Method::GET).uri(uri).body(HttpRequestBody::empty());
        let mut request = request.map_err(io::Error::other)?;
        let credential = self.credentials.get_credential().await.map_err(io::Error::other)?;
        AwsAuthorizer::new(&credential, "s3", &self.region).authorize(&mut request, None);
        let answer = self.http.execute(request).await.map_err(io::Error::other)?;
        if answer.status() != StatusCode::OK {
            return Err(io::Error::other(format!("status {}", answer.status())));
        }
        let body = answer.into_body().bytes().await.map_err(io::Error::other)?;
        parsed(&body)
    }
}

fn parsed(body: &[u8]) -> io::Result<Listing> {
    quick_xml::de::from_reader(body).map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listings_are_read() {
        let text = "<?xml version=\"1.0\"?><ListMultipartUploadsResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
            <Bucket>b</Bucket><KeyMarker></KeyMarker><NextKeyMarker>t/y</NextKeyMarker>\
            <NextUploadIdMarker>2</NextUploadIdMarker><IsTruncated>true</IsTruncated>\
            <Upload><Key>t/x</Key><UploadId>1</UploadId></Upload><Upload><Key>t/y</Key><UploadId>2</UploadId></Upload>\
            </ListMultipartUploadsResult>";
        let listing = parsed(text.as_bytes()).unwrap();
        assert!(listing.is_truncated);
        assert_eq!((listing.upload[1].key.as_str(), listing.upload[1].upload_id.as_str()), ("t/y", "2"));
        assert_eq!(listing.next_key_marker.as_deref(), Some("t/y"));
        assert!(parsed(b"<ListMultipartUploadsResult></ListMultipartUploadsResult>").unwrap().upload.is_empty());
    }
}
