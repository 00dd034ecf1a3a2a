//! What a driver leaves behind for the operator: the termination message of its container.

use std::path::Path;

use serde::Serialize;

use crate::failure::Failure;
use crate::tail::LogTail;

/// Where Kubernetes looks for it.
pub(crate) const FILE: &str = "/dev/termination-log";

/// As much as Kubernetes takes.
const LEN_MAX: usize = 4096;
/// A sentence that is longer says no more.
const MESSAGE_LEN_MAX: usize = 1000;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LastWords {
    exit_code: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    log_tail: String,
}

/// Writes them. A file that cannot be written is told about; the exit code stands for itself.
pub(crate) fn write(file: &Path, result: &Result<(), Failure>, tail: &LogTail) {
    if let Err(error) = std::fs::write(file, text(result, tail)) {
        tracing::warn!(%error, file = %file.display(), "the termination message cannot be written");
    }
}

fn text(result: &Result<(), Failure>, tail: &LogTail) -> String {
    let message = match result {
        Ok(()) => None,
        Err(failure @ Failure::Program(_)) => tail.exception().or_else(|| Some(failure.to_string())),
        Err(failure) => Some(failure.to_string()),
    };
    let message = message.map(|text| text[..text.floor_char_boundary(MESSAGE_LEN_MAX)].to_owned());
    let exit_code = result.as_ref().err().map_or(0, Failure::code);
    let mut log_tail = tail.text();
    loop {
        let words = LastWords { exit_code, message: message.clone(), log_tail: log_tail.clone() };
        // Plain data always has a JSON form.
        let text = serde_json::to_string(&words).unwrap_or_default();
        if text.len() <= LEN_MAX || log_tail.is_empty() {
            return text;
        }
        // Escapes take room: lose the oldest part.
        let half = log_tail.ceil_char_boundary(log_tail.len().div_ceil(2));
        log_tail.drain(..half);
    }
}

#[cfg(test)]
mod tests {
    use crate::tail::Stream;

    use super::*;

    #[test]
    fn they_fit_and_name_the_exception() {
        let tail = LogTail::default();
        let noise = "\u{1}\"\\".repeat(2000);
        let output = format!("{noise}\nTraceback (most recent call last):\n  x\nValueError: no\n");
        tail.copy(output.as_bytes(), std::io::sink(), Stream::Error);
        let text = text(&Err(Failure::Program(3)), &tail);
        assert!(text.len() <= LEN_MAX, "{}", text.len());
        let read: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!((&read["exitCode"], &read["message"]), (&3.into(), &"ValueError: no".into()));
        assert!(read["logTail"].as_str().unwrap().ends_with("ValueError: no\n"));
    }

    #[test]
    fn a_good_end_has_no_message() {
        let text = text(&Ok(()), &LogTail::default());
        assert_eq!(text, r#"{"exitCode":0,"logTail":""}"#);
    }
}
