//! Generated text, printed, written or compared with what is there.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use firesteel_k8s::crd::{self, CrdError};
use firesteel_k8s::docs;

/// Text that could not be made, written or found as expected.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OutputError {
    #[error(transparent)]
    Crd(#[from] CrdError),
    #[error("cannot write to standard output: {0}")]
    Print(std::io::Error),
    #[error("cannot write {}: {source}", path.display())]
    Write { path: PathBuf, source: std::io::Error },
    #[error("{} is not up to date; make it anew without --check", path.display())]
    Stale { path: PathBuf },
}

/// The definitions: printed as one stream, or one file each in `folder`.
pub(crate) fn crds(folder: Option<&Path>, check: bool) -> Result<(), OutputError> {
    let definitions = crd::definitions()?;
    let Some(folder) = folder else {
        let texts: Vec<String> = definitions.iter().map(crd::Definition::to_yaml).collect::<Result<_, _>>()?;
        return print(&texts.join("---\n"));
    };
    for definition in &definitions {
        put(&folder.join(format!("{}.yaml", definition.plural)), &definition.to_yaml()?, check)?;
    }
    Ok(())
}

/// The page that explains every field.
pub(crate) fn docs(file: Option<&Path>, check: bool) -> Result<(), OutputError> {
    let page = docs::page()?;
    match file {
        Some(file) => put(file, &page, check),
        None => print(&page),
    }
}

/// The last words of a command that failed.
pub(crate) fn complain(error: &str) {
    // Nobody is left to tell if standard error is closed.
    let _ = writeln!(std::io::stderr(), "firesteel-operator: {error}");
}

fn print(text: &str) -> Result<(), OutputError> {
    std::io::stdout().write_all(text.as_bytes()).map_err(OutputError::Print)
}

fn put(path: &Path, text: &str, check: bool) -> Result<(), OutputError> {
    if check {
        let current = std::fs::read_to_string(path).unwrap_or_default();
        return if current == text { Ok(()) } else { Err(OutputError::Stale { path: path.to_owned() }) };
    }
    let write = || {
        path.parent().map_or(Ok(()), std::fs::create_dir_all)?;
        std::fs::write(path, text)
    };
    write().map_err(|source| OutputError::Write { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_written_and_then_found_up_to_date() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("crds");
        assert!(matches!(crds(Some(&path), true), Err(OutputError::Stale { .. })));
        crds(Some(&path), false).unwrap();
        crds(Some(&path), true).unwrap();
        let files = std::fs::read_dir(&path).unwrap().count();
        assert_eq!(files, 3);

        let page = folder.path().join("docs/sparkjob.md");
        docs(Some(&page), false).unwrap();
        docs(Some(&page), true).unwrap();
        std::fs::write(&page, "other").unwrap();
        assert!(matches!(docs(Some(&page), true), Err(OutputError::Stale { .. })));
    }
}
