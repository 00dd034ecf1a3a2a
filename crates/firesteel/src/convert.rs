//! `firesteel convert`: a SparkJob from a spark-submit command line or a SparkApplication.

use std::io::Write;
use std::path::Path;

use firesteel_k8s::convert::{from_application, from_command};

use crate::arguments::Convert;
use crate::failure::Failure;

/// Prints the manifest; what could not be carried over goes to standard error.
pub(crate) fn convert(arguments: &Convert) -> Result<(), Failure> {
    let usage = |error: firesteel_k8s::convert::ConvertError| Failure::Usage(error.to_string());
    let converted = match arguments.words.as_slice() {
        [file] if is_yaml(Path::new(file)) => {
            let text = std::fs::read_to_string(file).map_err(Failure::io("cannot read the SparkApplication"))?;
            from_application(&text).map_err(usage)?
        }
        words => from_command(words).map_err(usage)?,
    };
    let text = converted.to_yaml().map_err(|error| Failure::Usage(error.to_string()))?;
    std::io::stdout().write_all(text.as_bytes()).map_err(Failure::io("cannot print"))?;
    for sentence in &converted.left_out {
        // The manifest is printed; nobody is left to tell if standard error is closed.
        let _ = writeln!(std::io::stderr(), "not carried over: {sentence}");
    }
    for sentence in &converted.to_add {
        let _ = writeln!(std::io::stderr(), "to add: {sentence}");
    }
    Ok(())
}

fn is_yaml(file: &Path) -> bool {
    file.extension().is_some_and(|extension| extension == "yaml" || extension == "yml")
}
