//! Archives that a session sends for its functions.

use std::path::Path;
use std::process::{Command, Stdio};

use firesteel_model::Result;

use crate::environment::inherited;
use crate::error::unusable;

/// How Python names the format of an archive, by the end of the archive's name.
const FORMATS: &[(&str, &str)] = &[
    (".zip", "zip"),
    (".jar", "zip"),
    (".tar.gz", "gztar"),
    (".tgz", "gztar"),
    (".tar.bz2", "bztar"),
    (".tar.xz", "xztar"),
    (".tar", "tar"),
];

/// Takes the archive, the format's name and the directory.
const PROGRAM: &str = "
import os, shutil, sys
archive, kind, directory = sys.argv[1:]
part = directory + '.part'
shutil.rmtree(part, ignore_errors=True)
shutil.unpack_archive(archive, part, kind, **({} if kind == 'zip' else {'filter': 'data'}))
os.rename(part, directory)
";

/// Unpacks an archive of this name into a directory, which appears when it is complete. Blocks.
///
/// Errors: the name tells no format; the archive is broken or would write elsewhere.
pub fn unpack_archive(python: &Path, name: &str, archive: &Path, directory: &Path) -> Result<()> {
    let format = FORMATS.iter().find(|(end, _)| name.ends_with(end));
    let Some((_, format)) = format else {
        return Err(unusable(format!("{name} is no archive: its name must end in .zip, .tar, .tar.gz, .tgz or .jar")));
    };
    let output = Command::new(python)
        .args(["-c", PROGRAM])
        .arg(archive)
        .arg(format)
        .arg(directory)
        .env_clear()
        .envs(inherited())
        .stdin(Stdio::null())
        .output()
        .map_err(|error| unusable(format!("{} cannot be run: {error}", python.display())).source(error))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let last = said.trim_end().lines().last().unwrap_or_default();
    Err(unusable(format!("the archive {name} cannot be unpacked: {last}")))
}
