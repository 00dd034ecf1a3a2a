//! Listing a bucket's objects in the order of their keys.

use std::fs;
use std::io;
use std::ops::ControlFlow;
use std::path::Path;

use crate::key::is_file_name;
use crate::store::Found;

/// What to list.
#[derive(Clone, Debug, Default)]
pub(crate) struct Query {
    /// Beginning of the keys.
    pub(crate) prefix: String,
    /// Keys that have this after the prefix are folded into one entry.
    pub(crate) delimiter: Option<String>,
    /// What has been listed before.
    pub(crate) after: After,
    /// Entries at most.
    pub(crate) max: usize,
}

/// Where a page begins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum After {
    /// At the first key.
    #[default]
    Nothing,
    /// Behind this key.
    Key(String),
    /// Behind all keys that begin so.
    Prefix(String),
}

/// A part of a listing.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Page {
    /// Objects, in the order of their keys.
    pub(crate) objects: Vec<(String, Found)>,
    /// Folded keys, in order.
    pub(crate) prefixes: Vec<String>,
    /// Where the next page begins, if there is one.
    pub(crate) next: Option<After>,
}

impl After {
    /// Whether a key comes before the page.
    fn excludes(&self, key: &str) -> bool {
        match self {
            Self::Nothing => false,
            Self::Key(last) => key <= last.as_str(),
            Self::Prefix(last) => key < last.as_str() || key.starts_with(last.as_str()),
        }
    }

    /// Whether every key that begins with `folder` comes before the page.
    fn excludes_all_of(&self, folder: &str) -> bool {
        match self {
            Self::Nothing => false,
            Self::Key(last) => folder < last.as_str() && !last.starts_with(folder),
            Self::Prefix(last) => {
                folder.starts_with(last.as_str()) || (folder < last.as_str() && !last.starts_with(folder))
            }
        }
    }

    /// As text for a client to hand back.
    pub(crate) fn to_token(&self) -> String {
        match self {
            Self::Nothing => String::new(),
            Self::Key(key) => format!("k{key}"),
            Self::Prefix(prefix) => format!("p{prefix}"),
        }
    }

    /// From such text; `None` for text of another origin.
    pub(crate) fn from_token(token: &str) -> Option<Self> {
        match token.strip_prefix('k') {
            Some(key) => Some(Self::Key(key.to_owned())),
            None => token.strip_prefix('p').map(|prefix| Self::Prefix(prefix.to_owned())),
        }
    }
}

/// One page of the objects below a bucket's folder. What changes meanwhile may be on it or not.
pub(crate) fn page(bucket: &Path, query: &Query) -> io::Result<Page> {
    let mut lister = Lister { query, page: Page::default() };
    // Only folders on the way of the prefix can hold what begins with it.
    let folder = query.prefix.rfind('/').map_or("", |slash| &query.prefix[..=slash]);
    let is_path = folder.is_empty() || folder.trim_end_matches('/').split('/').all(is_file_name);
    if query.max > 0 && is_path && !folder.ends_with("//") {
        let _ = lister.folder(&bucket.join(folder), folder)?;
    }
    Ok(lister.page)
}

/// Whether there is an object anywhere below a folder.
pub(crate) fn holds_object(folder: &Path) -> io::Result<bool> {
    for entry in entries(folder)? {
        if !entry.is_folder || holds_object(&folder.join(&entry.name))? {
            return Ok(true);
        }
    }
    Ok(false)
}

struct Entry {
    name: String,
    is_folder: bool,
}

/// What lies in a folder, in the order of keys: a folder sorts as its name and a slash. A folder that has gone is
/// empty. Links to files count as files; links to folders are left out, since they may lead in circles.
fn entries(folder: &Path) -> io::Result<Vec<Entry>> {
    let reading = match fs::read_dir(folder) {
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(Vec::new());
        }
        reading => reading?,
    };
    let mut entries = Vec::new();
    for entry in reading {
        let entry = entry?;
        let Some(name) = entry.file_name().to_str().map(str::to_owned) else { continue };
        let kind = entry.file_type()?;
        let is_file = kind.is_file() || (kind.is_symlink() && entry.path().is_file());
        if kind.is_dir() || is_file {
            entries.push(Entry { name, is_folder: kind.is_dir() });
        }
    }
    entries.sort_by_cached_key(|entry| if entry.is_folder { format!("{}/", entry.name) } else { entry.name.clone() });
    Ok(entries)
}

struct Lister<'a> {
    query: &'a Query,
    page: Page,
}

impl Lister<'_> {
    fn folder(&mut self, path: &Path, at: &str) -> io::Result<ControlFlow<()>> {
        for entry in entries(path)? {
            let inner = path.join(&entry.name);
            let flow = if entry.is_folder {
                self.subfolder(&inner, &format!("{at}{}/", entry.name))?
            } else {
                self.file(&inner, format!("{at}{}", entry.name))?
            };
            if flow.is_break() {
                return Ok(flow);
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    fn subfolder(&mut self, path: &Path, key: &str) -> io::Result<ControlFlow<()>> {
        let prefix = self.query.prefix.as_str();
        let within = key.starts_with(prefix);
        if !(within || prefix.starts_with(key)) || self.query.after.excludes_all_of(key) {
            return Ok(ControlFlow::Continue(()));
        }
        // With the usual delimiter a folder is one entry, and need not be looked through.
        if within && key.len() > prefix.len() && self.query.delimiter.as_deref() == Some("/") {
            return if holds_object(path)? { Ok(self.add_prefix(key)) } else { Ok(ControlFlow::Continue(())) };
        }
        self.folder(path, key)
    }

    fn file(&mut self, path: &Path, key: String) -> io::Result<ControlFlow<()>> {
        let Some(rest) = key.strip_prefix(self.query.prefix.as_str()) else { return Ok(ControlFlow::Continue(())) };
        if self.query.after.excludes(&key) {
            return Ok(ControlFlow::Continue(()));
        }
        if let Some(delimiter) = self.query.delimiter.as_deref().filter(|delimiter| !delimiter.is_empty())
            && let Some(place) = rest.find(delimiter)
        {
            let end = key.len() - rest.len() + place + delimiter.len();
            return Ok(self.add_prefix(&key[..end]));
        }
        let found = match fs::metadata(path) {
            Ok(metadata) => Found::new(&metadata),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(ControlFlow::Continue(())),
            Err(error) => return Err(error),
        };
        if self.is_full() {
            return Ok(ControlFlow::Break(()));
        }
        self.page.objects.push((key, found));
        Ok(ControlFlow::Continue(()))
    }

    fn add_prefix(&mut self, prefix: &str) -> ControlFlow<()> {
        if self.page.prefixes.last().is_some_and(|last| last == prefix) {
            return ControlFlow::Continue(());
        }
        if self.is_full() {
            return ControlFlow::Break(());
        }
        self.page.prefixes.push(prefix.to_owned());
        ControlFlow::Continue(())
    }

    /// Whether nothing more fits; then the next page begins behind what came last.
    fn is_full(&mut self) -> bool {
        if self.page.objects.len() + self.page.prefixes.len() < self.query.max {
            return false;
        }
        let key = self.page.objects.last().map(|(key, _)| key.clone());
        let prefix = self.page.prefixes.last().cloned();
        self.page.next = match (key, prefix) {
            (Some(key), Some(prefix)) if key < prefix => Some(After::Prefix(prefix)),
            (Some(key), _) => Some(After::Key(key)),
            (None, prefix) => prefix.map(After::Prefix),
        };
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: [&str; 8] = ["a", "a.txt", "b/1", "b/2", "b/c/3", "b-", "d/e/4", "z"];

    fn bucket() -> tempfile::TempDir {
        let bucket = tempfile::tempdir().unwrap();
        for key in KEYS {
            let path = bucket.path().join(key);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "x").unwrap();
        }
        fs::create_dir_all(bucket.path().join("empty/folder")).unwrap();
        bucket
    }

    /// All pages together: keys, prefixes, number of pages.
    fn listed(bucket: &Path, prefix: &str, delimiter: Option<&str>, max: usize) -> (Vec<String>, usize) {
        let mut query =
            Query { prefix: prefix.to_owned(), delimiter: delimiter.map(str::to_owned), after: After::Nothing, max };
        let (mut names, mut pages) = (Vec::new(), 0);
        loop {
            let page = page(bucket, &query).unwrap();
            pages += 1;
            let mut entries: Vec<String> = page.objects.into_iter().map(|(key, _)| key).chain(page.prefixes).collect();
            entries.sort();
            names.extend(entries);
            match page.next {
                Some(after) => query.after = After::from_token(&after.to_token()).unwrap(),
                None => return (names, pages),
            }
        }
    }

    #[test]
    fn keys_come_in_byte_order_on_pages_of_any_size() {
        let bucket = bucket();
        let mut sorted = KEYS.map(str::to_owned).to_vec();
        sorted.sort();
        for max in 1..10 {
            let (names, pages) = listed(bucket.path(), "", None, max);
            assert_eq!(names, sorted, "{max}");
            assert_eq!(pages, KEYS.len().div_ceil(max), "{max}");
        }
    }

    #[test]
    fn prefixes_and_delimiters_on_pages_of_any_size() {
        let bucket = bucket();
        for (prefix, delimiter, expected) in [
            ("", Some("/"), vec!["a", "a.txt", "b-", "b/", "d/", "z"]),
            ("b", Some("/"), vec!["b-", "b/"]),
            ("b/", Some("/"), vec!["b/1", "b/2", "b/c/"]),
            ("b/", None, vec!["b/1", "b/2", "b/c/3"]),
            ("b/c", Some("/"), vec!["b/c/"]),
            ("d/e/4", Some("/"), vec!["d/e/4"]),
            ("", Some("/c"), vec!["a", "a.txt", "b-", "b/1", "b/2", "b/c", "d/e/4", "z"]),
            ("", Some("e"), vec!["a", "a.txt", "b-", "b/1", "b/2", "b/c/3", "d/e", "z"]),
            ("", Some(""), vec!["a", "a.txt", "b-", "b/1", "b/2", "b/c/3", "d/e/4", "z"]),
            ("nothing/", Some("/"), vec![]),
            ("empty/", None, vec![]),
            ("a/", None, vec![]),
            ("../", None, vec![]),
            ("b//", None, vec![]),
            ("/", None, vec![]),
        ] {
            for max in 1..5 {
                assert_eq!(listed(bucket.path(), prefix, delimiter, max).0, expected, "{prefix} {delimiter:?} {max}");
            }
        }
    }

    #[test]
    fn a_page_can_begin_behind_any_text() {
        let bucket = bucket();
        for (after, expected) in
            [("a", "a.txt"), ("b", "b-"), ("b/", "b/1"), ("b/2", "b/c/3"), ("b/c/3x", "d/e/4"), ("zz", "")]
        {
            let query = Query { after: After::Key(after.to_owned()), max: 1, ..Query::default() };
            let page = page(bucket.path(), &query).unwrap();
            let first = page.objects.first().map_or("", |(key, _)| key.as_str());
            assert_eq!(first, expected, "{after}");
        }
    }

    #[test]
    fn an_empty_page_is_the_last_one() {
        let bucket = bucket();
        assert_eq!(page(bucket.path(), &Query::default()).unwrap(), Page::default());
    }
}
