//! The server as the engine uses it: through `object_store`'s client for Amazon S3.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use std::fs;
use std::path::Path as FilePath;
use std::sync::Arc;

use bytes::Bytes;
use firesteel_s3::EmbeddedS3;
use futures::TryStreamExt;
use object_store::aws::{AmazonS3, AmazonS3Builder, Checksum, S3CopyIfNotExists};
use object_store::path::Path;
use object_store::{
    Attribute, Attributes, CopyMode, CopyOptions, Error, GetOptions, GetRange, ObjectStore, ObjectStoreExt, PutMode,
    PutMultipartOptions, PutOptions, PutPayload, UpdateVersion,
};

const MIB: usize = 1 << 20;

struct World {
    folder: tempfile::TempDir,
    server: EmbeddedS3,
    client: AmazonS3,
}

impl World {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let server = EmbeddedS3::start(folder.path(), 0).await.unwrap();
        server.create_bucket("bucket").unwrap();
        let client = builder(&server, "bucket").build().unwrap();
        Self { folder, server, client }
    }

    async fn put(&self, key: &str, text: &str) -> Option<String> {
        self.client.put(&Path::from(key), text.to_owned().into()).await.unwrap().e_tag
    }

    async fn get(&self, key: &str) -> Result<Bytes, Error> {
        self.client.get(&Path::from(key)).await?.bytes().await
    }

    /// Files anywhere below the data folder, except the lock that stays.
    fn files(&self) -> Vec<String> {
        fn walk(root: &FilePath, folder: &FilePath, files: &mut Vec<String>) {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    walk(root, &path, files);
                } else {
                    files.push(path.strip_prefix(root).unwrap().to_str().unwrap().to_owned());
                }
            }
        }
        let mut files = Vec::new();
        walk(self.folder.path(), self.folder.path(), &mut files);
        files.retain(|file| file != ".firesteel/commit" && !file.ends_with(".lock"));
        files.sort();
        files
    }
}

fn builder(server: &EmbeddedS3, bucket: &str) -> AmazonS3Builder {
    AmazonS3Builder::new()
        .with_endpoint(server.endpoint())
        .with_access_key_id(server.access_key())
        .with_secret_access_key(server.secret_key())
        .with_bucket_name(bucket)
        .with_region("us-east-1")
        .with_allow_http(true)
}

#[tokio::test]
async fn objects_are_files_and_files_are_objects() {
    let world = World::new().await;
    world.put("folder/a.txt", "hello").await;
    assert_eq!(fs::read_to_string(world.folder.path().join("bucket/folder/a.txt")).unwrap(), "hello");
    assert_eq!(world.get("folder/a.txt").await.unwrap(), "hello");

    fs::write(world.folder.path().join("bucket/orders.csv"), "a,b\n").unwrap();
    assert_eq!(world.get("orders.csv").await.unwrap(), "a,b\n");
    let before = world.client.head(&Path::from("orders.csv")).await.unwrap();
    fs::write(world.folder.path().join("bucket/orders.csv"), "c,d\n").unwrap();
    let after = world.client.head(&Path::from("orders.csv")).await.unwrap();
    assert_ne!(before.e_tag, after.e_tag, "an edit by hand changes the ETag");
    assert_eq!(world.files(), ["bucket/folder/a.txt", "bucket/orders.csv"], "nothing lies beside the objects");
}

#[tokio::test]
async fn unusual_keys() {
    let world = World::new().await;
    let keys = [
        "year=2026/a b+c%20d.parquet",
        "übung/ß.txt",
        "a&b<c>'\"/x",
        "~tilde/(1)/[2]/{3}",
        "date=2024-01-01 00:00:00/f",
    ];
    for key in keys {
        let path = Path::parse(key).unwrap_or_else(|_| Path::from(key));
        world.client.put(&path, key.to_owned().into()).await.unwrap();
        assert_eq!(world.client.get(&path).await.unwrap().bytes().await.unwrap(), key);
    }
    let listed: Vec<_> = world.client.list(None).try_collect().await.unwrap();
    assert_eq!(listed.len(), keys.len());
    for object in listed {
        world.client.get(&object.location).await.unwrap();
    }
    let long = format!(
        "{}/part-00000-{}.snappy.parquet",
        "column=some-long-value/".repeat(20).trim_end_matches('/'),
        "x".repeat(100)
    );
    world.put(&long, "long").await;
    assert_eq!(world.get(&long).await.unwrap(), "long");
}

#[tokio::test]
async fn ranges() {
    let world = World::new().await;
    world.put("a", "0123456789").await;
    let path = Path::from("a");
    for (range, expected) in [
        (GetRange::Bounded(2..5), "234"),
        (GetRange::Bounded(0..100), "0123456789"),
        (GetRange::Offset(7), "789"),
        (GetRange::Suffix(4), "6789"),
    ] {
        let options = GetOptions { range: Some(range.clone()), ..GetOptions::default() };
        let result = world.client.get_opts(&path, options).await.unwrap();
        assert_eq!(result.bytes().await.unwrap(), expected, "{range}");
    }
    let beyond = GetOptions { range: Some(GetRange::Bounded(10..12)), ..GetOptions::default() };
    assert!(world.client.get_opts(&path, beyond).await.is_err());
    let parts = world.client.get_ranges(&path, &[0..2, 8..10]).await.unwrap();
    assert_eq!(parts, ["01", "89"]);
    world.put("empty", "").await;
    assert_eq!(world.get("empty").await.unwrap(), "");
}

#[tokio::test]
async fn large_bodies_come_through_whole() {
    let world = World::new().await;
    let body: Bytes = (0..9 * MIB).map(|place| (place % 251) as u8).collect();
    world.client.put(&Path::from("large"), body.clone().into()).await.unwrap();
    assert!(world.get("large").await.unwrap() == body);
}

#[tokio::test]
async fn conditional_reads() {
    let world = World::new().await;
    let etag = world.put("a", "1").await;
    let path = Path::from("a");
    let read = |options| world.client.get_opts(&path, options);
    assert!(read(GetOptions { if_match: etag.clone(), ..GetOptions::default() }).await.is_ok());
    let same = read(GetOptions { if_none_match: etag.clone(), ..GetOptions::default() }).await;
    assert!(matches!(same, Err(Error::NotModified { .. })), "{same:?}");
    world.put("a", "2").await;
    let changed = read(GetOptions { if_match: etag.clone(), ..GetOptions::default() }).await;
    assert!(matches!(changed, Err(Error::Precondition { .. })), "{changed:?}");
    assert!(read(GetOptions { if_none_match: etag, ..GetOptions::default() }).await.is_ok());
}

#[tokio::test]
async fn conditional_writes_have_one_winner() {
    let world = World::new().await;
    let client = Arc::new(world.client.clone());
    let mut tasks = tokio::task::JoinSet::new();
    for writer in 0..16 {
        let client = client.clone();
        tasks.spawn(async move {
            let options = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
            client.put_opts(&Path::from("once"), writer.to_string().into(), options).await
        });
    }
    let results = tasks.join_all().await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    assert!(
        results
            .iter()
            .flat_map(|result| result.as_ref().err())
            .all(|error| matches!(error, Error::AlreadyExists { .. }))
    );

    let current = world.client.head(&Path::from("once")).await.unwrap();
    let update = |version: &object_store::ObjectMeta| PutOptions {
        mode: PutMode::Update(UpdateVersion { e_tag: version.e_tag.clone(), version: None }),
        ..PutOptions::default()
    };
    world.client.put_opts(&Path::from("once"), "new".into(), update(&current)).await.unwrap();
    let stale = world.client.put_opts(&Path::from("once"), "newer".into(), update(&current)).await;
    assert!(matches!(stale, Err(Error::Precondition { .. })), "{stale:?}");
    assert_eq!(world.get("once").await.unwrap(), "new");
    assert_eq!(world.files(), ["bucket/once"]);
}

#[tokio::test]
async fn checksums_are_verified() {
    let world = World::new().await;
    let client = builder(&world.server, "bucket").with_checksum_algorithm(Checksum::SHA256).build().unwrap();
    client.put(&Path::from("a"), "hello".into()).await.unwrap();
    assert_eq!(world.get("a").await.unwrap(), "hello");
}

#[tokio::test]
async fn deleting() {
    let world = World::new().await;
    for key in ["a/b/1", "a/b/2", "a/3", "c"] {
        world.put(key, key).await;
    }
    world.client.delete(&Path::from("a/b/1")).await.unwrap();
    world.client.delete(&Path::from("a/b/1")).await.unwrap();
    assert!(matches!(world.get("a/b/1").await, Err(Error::NotFound { .. })));
    world.client.delete(&Path::from("a/b/2")).await.unwrap();
    assert!(!world.folder.path().join("bucket/a/b").exists(), "folders left empty go too");

    let doomed = futures::stream::iter(["a/3", "c", "never-there"].map(|key| Ok(Path::from(key))));
    let deleted: Vec<Path> = world.client.delete_stream(Box::pin(doomed)).try_collect().await.unwrap();
    assert_eq!(deleted.len(), 3);
    assert!(world.files().is_empty());
    assert!(world.folder.path().join("bucket").is_dir());
}

#[tokio::test]
async fn listing() {
    let world = World::new().await;
    for index in 0..1100 {
        let path = world.folder.path().join(format!("bucket/many/{index:04}"));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "x").unwrap();
    }
    for key in ["a.txt", "table/_SUCCESS", "table/p=1/x.parquet", "table/p=2/y.parquet"] {
        world.put(key, "body").await;
    }
    let all: Vec<_> = world.client.list(None).try_collect().await.unwrap();
    assert_eq!(all.len(), 1104, "over more than one page");
    assert!(all.iter().all(|object| object.e_tag.is_some()));
    let etag = world.client.head(&Path::from("a.txt")).await.unwrap().e_tag;
    assert_eq!(all[0].e_tag, etag, "a listing and a HEAD agree");

    let top = world.client.list_with_delimiter(None).await.unwrap();
    assert_eq!(top.common_prefixes, ["many", "table"].map(Path::from));
    assert_eq!(top.objects.len(), 1);
    let table = world.client.list_with_delimiter(Some(&Path::from("table"))).await.unwrap();
    assert_eq!(table.common_prefixes, ["table/p=1", "table/p=2"].map(Path::from));
    assert_eq!(table.objects[0].location, Path::from("table/_SUCCESS"));
    assert_eq!(table.objects[0].size, 4);
    let after: Vec<_> =
        world.client.list_with_offset(Some(&Path::from("many")), &Path::from("many/1097")).try_collect().await.unwrap();
    assert_eq!(after.len(), 2);
    let none = world.client.list_with_delimiter(Some(&Path::from("nothing"))).await.unwrap();
    assert!(none.objects.is_empty() && none.common_prefixes.is_empty());
}

#[tokio::test]
async fn uploads_in_parts() {
    let world = World::new().await;
    let path = Path::from("big/object");
    let part = |letter: u8| PutPayload::from(vec![letter; 5 * MIB]);
    let attributes = Attributes::from_iter([(Attribute::ContentType, "text/plain")]);
    let options = PutMultipartOptions { attributes, ..PutMultipartOptions::default() };
    let mut upload = world.client.put_multipart_opts(&path, options).await.unwrap();
    // Sent at the same time, so that they can arrive in any order.
    let parts = [upload.put_part(part(b'a')), upload.put_part(part(b'b')), upload.put_part("end".into())];
    futures::future::try_join_all(parts).await.unwrap();
    assert!(matches!(world.get("big/object").await, Err(Error::NotFound { .. })), "invisible until complete");
    assert!(world.client.list(None).try_collect::<Vec<_>>().await.unwrap().is_empty());
    let result = upload.complete().await.unwrap();

    let got = world.client.get(&path).await.unwrap();
    assert_eq!(got.meta.e_tag, result.e_tag);
    let body = got.bytes().await.unwrap();
    assert_eq!(body.len(), 10 * MIB + 3);
    assert!(body[..5 * MIB].iter().all(|byte| *byte == b'a') && body.ends_with(b"bend"));
    assert_eq!(world.files(), ["bucket/big/object"]);
}

#[tokio::test]
async fn aborted_and_abandoned_uploads_leave_nothing() {
    let world = World::new().await;
    let mut upload = world.client.put_multipart(&Path::from("gone")).await.unwrap();
    upload.put_part(vec![0; 5 * MIB].into()).await.unwrap();
    upload.abort().await.unwrap();
    assert!(world.files().is_empty());
    assert!(upload.complete().await.is_err());

    let mut upload = world.client.put_multipart(&Path::from("abandoned")).await.unwrap();
    upload.put_part("part".into()).await.unwrap();
    assert_eq!(world.files().len(), 1);
    drop(upload);
    let World { folder, server, client } = world;
    drop(client);
    server.shutdown().await;
    let again = EmbeddedS3::start(folder.path(), 0).await.unwrap();
    let client = builder(&again, "bucket").build().unwrap();
    assert!(client.list(None).try_collect::<Vec<_>>().await.unwrap().is_empty());
    assert_eq!(fs::read_dir(folder.path().join("bucket")).unwrap().count(), 0);
}

#[tokio::test]
async fn copies_and_renames() {
    let world = World::new().await;
    let (from, to) = (Path::from("a b/from"), Path::from("to"));
    let attributes = Attributes::from_iter([(Attribute::Metadata("owner".into()), "me")]);
    let options = PutOptions { attributes, ..PutOptions::default() };
    world.client.put_opts(&from, "body".into(), options).await.unwrap();
    world.client.copy(&from, &to).await.unwrap();
    let copy = world.client.get(&to).await.unwrap();
    assert_eq!(copy.attributes.get(&Attribute::Metadata("owner".into())).unwrap().as_ref(), "me");
    assert_eq!(copy.bytes().await.unwrap(), "body");
    world.client.copy(&from, &from).await.unwrap();
    assert_eq!(world.get("a b/from").await.unwrap(), "body", "a copy onto itself changes nothing");
    world.client.rename(&from, &Path::from("moved")).await.unwrap();
    assert_eq!(world.files(), ["bucket/moved", "bucket/to"]);

    let header = S3CopyIfNotExists::Header("if-none-match".into(), "*".into());
    for mode in [header, S3CopyIfNotExists::Multipart] {
        let client = builder(&world.server, "bucket").with_copy_if_not_exists(mode.clone()).build().unwrap();
        let create = || CopyOptions { mode: CopyMode::Create, ..CopyOptions::default() };
        let exists = client.copy_opts(&to, &Path::from("moved"), create()).await;
        assert!(matches!(exists, Err(Error::AlreadyExists { .. })), "{mode:?}: {exists:?}");
        client.copy_opts(&to, &Path::from("fresh"), create()).await.unwrap();
        assert_eq!(world.get("fresh").await.unwrap(), "body");
        client.delete(&Path::from("fresh")).await.unwrap();
    }
}

#[tokio::test]
async fn buckets_are_made_only_when_asked() {
    let world = World::new().await;
    let client = builder(&world.server, "other").build().unwrap();
    let path = Path::from("a");
    let errors = [
        client.put(&path, "x".into()).await.unwrap_err().to_string(),
        client.get(&path).await.unwrap_err().to_string(),
        client.list(None).try_collect::<Vec<_>>().await.unwrap_err().to_string(),
        client.put_multipart(&path).await.err().unwrap().to_string(),
    ];
    for error in errors {
        assert!(error.contains("NoSuchBucket"), "{error}");
    }
    assert!(!world.folder.path().join("other").exists());
    world.server.create_bucket("other").unwrap();
    world.server.create_bucket("other").unwrap();
    client.put(&path, "x".into()).await.unwrap();
    assert!(world.server.create_bucket("Not A Bucket").is_err());
    assert!(world.server.create_bucket("..").is_err());
}

#[tokio::test]
async fn a_key_that_cannot_be_a_file_is_refused_by_name() {
    let world = World::new().await;
    world.put("a", "file").await;
    world.put("b/c", "file").await;
    for key in ["a/b", "b"] {
        let error = world.client.put(&Path::from(key), "x".into()).await.unwrap_err().to_string();
        assert!(error.contains("cannot be a folder too"), "{key}: {error}");
    }
    assert_eq!(world.files(), ["bucket/a", "bucket/b/c"]);
}

#[tokio::test]
async fn only_its_own_credentials_are_let_in() {
    let world = World::new().await;
    world.put("a", "secret").await;
    let wrong = builder(&world.server, "bucket").with_secret_access_key("wrong").build().unwrap();
    assert!(wrong.get(&Path::from("a")).await.is_err());
    let anonymous = builder(&world.server, "bucket").with_skip_signature(true).build().unwrap();
    assert!(anonymous.get(&Path::from("a")).await.is_err());
    assert!(!format!("{:?}", world.server).contains(world.server.secret_key()));
}

#[tokio::test]
async fn two_servers_can_share_a_folder() {
    let world = World::new().await;
    let second = EmbeddedS3::start(world.folder.path(), 0).await.unwrap();
    let client = builder(&second, "bucket").build().unwrap();
    let create = || PutOptions { mode: PutMode::Create, ..PutOptions::default() };
    let path = Path::from("once");
    let (one, two) =
        tokio::join!(world.client.put_opts(&path, "1".into(), create()), client.put_opts(&path, "2".into(), create()));
    assert!(one.is_ok() != two.is_ok(), "{one:?} {two:?}");
    second.shutdown().await;
    assert!(world.get("once").await.is_ok());
}
