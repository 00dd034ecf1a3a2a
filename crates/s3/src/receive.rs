//! From the body of a request to a file, with its checksums verified.

use std::io::Write;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use s3s::checksum::ChecksumHasher;
use s3s::crypto::{Checksum as _, Crc32, Crc32c, Crc64Nvme, Md5, Sha1, Sha256};
use s3s::dto::{Checksum, StreamingBlob};
use s3s::{S3Error, S3Result, TrailingHeaders, s3_error};

use crate::staging::Staged;
use crate::store::{Store, fault};

/// Bytes gathered before they are written, off the async threads.
const WRITE_BYTES: usize = 1 << 20;

/// What a client says about the bytes it sends.
#[derive(Default)]
pub(crate) struct Claims {
    pub(crate) md5: Option<String>,
    pub(crate) checksum: Checksum,
    /// Headers after the body, which may hold checksums too.
    pub(crate) trailers: Option<TrailingHeaders>,
    /// Names of those headers, announced before the body.
    pub(crate) trailer_names: String,
}

/// Takes the checksums out of a request; the requests that carry them have fields of the same names.
macro_rules! claims_of {
    ($request:expr) => {
        $crate::receive::Claims {
            md5: $request.input.content_md5.take(),
            checksum: s3s::dto::Checksum {
                checksum_crc32: $request.input.checksum_crc32.take(),
                checksum_crc32c: $request.input.checksum_crc32c.take(),
                checksum_crc64nvme: $request.input.checksum_crc64nvme.take(),
                checksum_sha1: $request.input.checksum_sha1.take(),
                checksum_sha256: $request.input.checksum_sha256.take(),
                ..s3s::dto::Checksum::default()
            },
            trailer_names: $crate::receive::trailer_names(&$request.headers),
            trailers: $request.trailing_headers.take(),
        }
    };
}
pub(crate) use claims_of;

/// The announced names of the headers after the body.
pub(crate) fn trailer_names(headers: &http::HeaderMap) -> String {
    headers.get("x-amz-trailer").and_then(|value| value.to_str().ok()).unwrap_or_default().to_lowercase()
}

/// Writes a body to a new file.
///
/// Errors: the body breaks off, or is not what the client claims (`BadDigest`); then nothing is left behind.
pub(crate) async fn receive(
    store: &Store,
    body: Option<StreamingBlob>,
    mut claims: Claims,
) -> S3Result<(std::fs::File, Staged, Checksum)> {
    let (file, staged) = store.stage()?;
    let mut writer = Writer { file: Some(file), pending: BytesMut::with_capacity(WRITE_BYTES) };
    let mut hashes = Hashes::new(&claims);
    if let Some(mut body) = body {
        while let Some(bytes) = body.next().await {
            let bytes = bytes.map_err(|error| {
                let message = format!("the body broke off: {error}");
                s3_error!(IncompleteBody, "{message}")
            })?;
            hashes.update(&bytes);
            writer.push(&bytes).await?;
        }
    }
    let file = writer.finish().await?;
    if let Some(trailers) = claims.trailers.take() {
        trailers.read(|headers| claims.add_trailers(headers));
    }
    let computed = hashes.verify(&claims)?;
    Ok((file, staged, computed))
}

impl Claims {
    fn add_trailers(&mut self, headers: &http::HeaderMap) {
        let read = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let checksum = &mut self.checksum;
        for (name, field) in [
            ("x-amz-checksum-crc32", &mut checksum.checksum_crc32),
            ("x-amz-checksum-crc32c", &mut checksum.checksum_crc32c),
            ("x-amz-checksum-crc64nvme", &mut checksum.checksum_crc64nvme),
            ("x-amz-checksum-sha1", &mut checksum.checksum_sha1),
            ("x-amz-checksum-sha256", &mut checksum.checksum_sha256),
        ] {
            if let Some(value) = read(name) {
                *field = Some(value);
            }
        }
    }
}

struct Hashes {
    md5: Option<Md5>,
    checksums: ChecksumHasher,
}

impl Hashes {
    /// Computes what there is a claim about, or will be one after the body.
    fn new(claims: &Claims) -> Self {
        let announced = |name: &str| claims.trailer_names.split(',').any(|trailer| trailer.trim() == name);
        let given = &claims.checksum;
        let checksums = ChecksumHasher {
            crc32: (given.checksum_crc32.is_some() || announced("x-amz-checksum-crc32")).then(Crc32::new),
            crc32c: (given.checksum_crc32c.is_some() || announced("x-amz-checksum-crc32c")).then(Crc32c::new),
            crc64nvme: (given.checksum_crc64nvme.is_some() || announced("x-amz-checksum-crc64nvme"))
                .then(Crc64Nvme::new),
            sha1: (given.checksum_sha1.is_some() || announced("x-amz-checksum-sha1")).then(Sha1::new),
            sha256: (given.checksum_sha256.is_some() || announced("x-amz-checksum-sha256")).then(Sha256::new),
        };
        Self { md5: claims.md5.is_some().then(Md5::new), checksums }
    }

    fn update(&mut self, bytes: &[u8]) {
        if let Some(md5) = &mut self.md5 {
            md5.update(bytes);
        }
        self.checksums.update(bytes);
    }

    fn verify(self, claims: &Claims) -> S3Result<Checksum> {
        if let (Some(md5), Some(claimed)) = (self.md5, &claims.md5) {
            compare("MD5", claimed, &STANDARD.encode(md5.finalize()))?;
        }
        let computed = self.checksums.finalize();
        let claimed = &claims.checksum;
        for (name, claimed, computed) in [
            ("CRC32", &claimed.checksum_crc32, &computed.checksum_crc32),
            ("CRC32C", &claimed.checksum_crc32c, &computed.checksum_crc32c),
            ("CRC64NVME", &claimed.checksum_crc64nvme, &computed.checksum_crc64nvme),
            ("SHA1", &claimed.checksum_sha1, &computed.checksum_sha1),
            ("SHA256", &claimed.checksum_sha256, &computed.checksum_sha256),
        ] {
            if let (Some(claimed), Some(computed)) = (claimed, computed) {
                compare(name, claimed, computed)?;
            }
        }
        Ok(computed)
    }
}

fn compare(name: &str, claimed: &str, computed: &str) -> S3Result<()> {
    if claimed == computed {
        return Ok(());
    }
    Err(s3_error!(BadDigest, "the {name} of the body is {computed}, not {claimed}"))
}

/// Gathers bytes and writes them from a thread that may block.
struct Writer {
    /// Absent while a write is under way.
    file: Option<std::fs::File>,
    pending: BytesMut,
}

impl Writer {
    async fn push(&mut self, bytes: &Bytes) -> S3Result<()> {
        self.pending.extend_from_slice(bytes);
        if self.pending.len() >= WRITE_BYTES { self.flush().await } else { Ok(()) }
    }

    async fn flush(&mut self) -> S3Result<()> {
        let Some(mut file) = self.file.take() else { return Err(s3_error!(InternalError)) };
        let bytes = self.pending.split();
        let (file, result) = blocking(move || {
            let result = file.write_all(&bytes);
            Ok((file, result))
        })
        .await?;
        self.file = Some(file);
        result.map_err(fault)
    }

    async fn finish(mut self) -> S3Result<std::fs::File> {
        self.flush().await?;
        self.file.take().ok_or_else(|| s3_error!(InternalError))
    }
}

/// Runs `work` on a thread that may block.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> S3Result<T> + Send + 'static) -> S3Result<T> {
    let panicked = |error: tokio::task::JoinError| -> S3Error { s3_error!(error, InternalError) };
    tokio::task::spawn_blocking(work).await.map_err(panicked)?
}
