//! The end of a program's output, kept while the output passes through.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::sync::{Arc, Mutex, PoisonError};

/// Bytes of output that are kept, and of standard error, where the reason of a failure is looked for.
const OUTPUT_LEN: usize = 2048;
const ERROR_LEN: usize = 16 * 1024;

/// The last bytes of a program's output. Clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct LogTail {
    kept: Arc<Mutex<Kept>>,
}

#[derive(Debug, Default)]
struct Kept {
    output: VecDeque<u8>,
    error: VecDeque<u8>,
}

/// Which output passes through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stream {
    Output,
    Error,
}

impl LogTail {
    /// Copies everything from `from` to `to` and keeps the last of it. It blocks until `from` ends.
    pub(crate) fn copy(&self, mut from: impl Read, mut to: impl Write, stream: Stream) {
        let mut buffer = vec![0; 16 * 1024];
        // The program must not block on a pipe that nobody reads, so that its output is read even if it goes nowhere.
        let mut is_open = true;
        while let Ok(count @ 1..) = from.read(&mut buffer) {
            let bytes = &buffer[..count];
            self.keep(bytes, stream);
            if is_open {
                is_open = to.write_all(bytes).is_ok() && to.flush().is_ok();
            }
        }
    }

    fn keep(&self, bytes: &[u8], stream: Stream) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        push(&mut kept.output, bytes, OUTPUT_LEN);
        if stream == Stream::Error {
            push(&mut kept.error, bytes, ERROR_LEN);
        }
    }

    /// The last 2 KB, from the beginning of a line where there is one.
    pub(crate) fn text(&self) -> String {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let text = lossy(&kept.output);
        match text.split_once('\n') {
            Some((_, rest)) if kept.output.len() == OUTPUT_LEN && !rest.is_empty() => rest.to_owned(),
            _ => text,
        }
    }

    /// What a failed Python program says last: the exception below the last traceback, or else the last line.
    pub(crate) fn exception(&self) -> Option<String> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        exception(&lossy(&kept.error))
    }
}

fn push(kept: &mut VecDeque<u8>, bytes: &[u8], most: usize) {
    kept.extend(&bytes[bytes.len().saturating_sub(most)..]);
    let surplus = kept.len().saturating_sub(most);
    kept.drain(..surplus);
}

fn lossy(bytes: &VecDeque<u8>) -> String {
    let (first, second) = bytes.as_slices();
    String::from_utf8_lossy(&[first, second].concat()).into_owned()
}

fn exception(error: &str) -> Option<String> {
    let lines: Vec<&str> = error.lines().map(str::trim_end).collect();
    let traceback = lines.iter().rposition(|line| line.starts_with("Traceback (most recent call last)"));
    let of_traceback = traceback.and_then(|at| {
        let is_exception = |line: &&&str| !line.is_empty() && !line.starts_with(char::is_whitespace);
        lines[at + 1..].iter().find(is_exception)
    });
    let last = || lines.iter().rev().find(|line| !line.is_empty());
    of_traceback.or_else(last).map(|line| (*line).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_passes_through_and_its_end_is_kept() {
        let tail = LogTail::default();
        let lines: String = (0..1000).map(|number| format!("line {number}\n")).collect();
        let mut passed = Vec::new();
        tail.copy(lines.as_bytes(), &mut passed, Stream::Output);
        assert_eq!(passed, lines.as_bytes());
        let text = tail.text();
        assert!(text.len() <= OUTPUT_LEN && text.starts_with("line ") && text.ends_with("line 999\n"), "{text}");
        assert_eq!(tail.exception(), None);
    }

    #[test]
    fn the_exception_is_the_one_below_the_last_traceback() {
        let error = "warning\nTraceback (most recent call last):\n  File \"a.py\", line 1\n    x\nValueError: bad\n\nduring:\n\
                     Traceback (most recent call last):\n  File \"b.py\", line 2\n    y\nKeyError: 'k'\nhint\n";
        assert_eq!(exception(error).as_deref(), Some("KeyError: 'k'"));
        assert_eq!(exception("no such option\n\n").as_deref(), Some("no such option"));
        assert_eq!(exception(""), None);
    }
}
