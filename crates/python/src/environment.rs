//! Which variables of this process a worker sees: none that could hold a credential.

use std::ffi::OsString;

/// Variables passed on.
const PASSED: &[&str] = &[
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "LANG",
    "LANGUAGE",
    "TZ",
    "TMPDIR",
    "VIRTUAL_ENV",
    "LD_LIBRARY_PATH",
    "DYLD_LIBRARY_PATH",
    "CUDA_VISIBLE_DEVICES",
    "PYTHONHASHSEED",
    "PYTHONDONTWRITEBYTECODE",
    "MPLCONFIGDIR",
];

/// Families of variables passed on.
const PASSED_FAMILIES: &[&str] = &["LC_", "OMP_", "OPENBLAS_", "MKL_", "ARROW_"];

/// The variables that workers inherit.
pub(crate) fn inherited() -> Vec<(OsString, OsString)> {
    let passed = |name: &str| PASSED.contains(&name) || PASSED_FAMILIES.iter().any(|family| name.starts_with(family));
    std::env::vars_os().filter(|(name, _)| name.to_str().is_some_and(passed)).collect()
}
