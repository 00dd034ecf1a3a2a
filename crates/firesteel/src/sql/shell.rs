//! The interactive shell.

use std::io::Write;
use std::path::PathBuf;
use std::time::Instant;

use reedline::{DefaultPrompt, DefaultPromptSegment, FileBackedHistory, Reedline, Signal, ValidationResult, Validator};

use super::complete::is_complete;
use super::rows;
use crate::arguments::Format;
use crate::engine::SqlSession;
use crate::failure::Failure;
use crate::interrupt::{Interrupt, Interrupts};

const HISTORY_ENTRIES: usize = 10_000;

const HELP: &str = "\
A statement ends with a semicolon and may take several lines.
  \\format table|csv|json   how rows are printed
  \\q                       quit (also Ctrl-D)
  \\?                       this help
Ctrl-C cancels a statement that runs, or clears the line.";

/// Reads statements and runs them, until the user quits.
///
/// Errors: the terminal fails; SIGTERM; a second Ctrl-C while a cancelled statement will not end.
pub(super) async fn run(session: &SqlSession, format: Format, interrupts: &mut Interrupts) -> Result<(), Failure> {
    let mut shell = Shell { session, format, interrupts };
    let mut editor = Some(editor()?);
    say("Firesteel SQL. Statements end with a semicolon; \\? helps, \\q quits.");
    while let Some(mut current) = editor.take() {
        // Reading a line blocks its thread.
        let read = tokio::task::spawn_blocking(move || {
            let left_prompt = DefaultPromptSegment::Basic("sql".to_owned());
            let prompt = DefaultPrompt { left_prompt, right_prompt: DefaultPromptSegment::Empty };
            let signal = current.read_line(&prompt);
            (current, signal)
        });
        let (current, signal) = read.await.map_err(|error| terminal(std::io::Error::other(error)))?;
        match signal.map_err(terminal)? {
            Signal::Success(text) if shell.enter(&text).await?.is_over => {
                break;
            }
            Signal::CtrlD => break,
            _ => {}
        }
        editor = Some(current);
    }
    Ok(())
}

fn terminal(source: std::io::Error) -> Failure {
    Failure::Io { action: "the terminal failed", source }
}

fn editor() -> Result<Reedline, Failure> {
    let editor = Reedline::create().with_validator(Box::new(Statements));
    let Some(file) = history_file() else { return Ok(editor) };
    match FileBackedHistory::with_file(HISTORY_ENTRIES, file.clone()) {
        Ok(history) => Ok(editor.with_history(Box::new(history))),
        Err(error) => {
            tracing::warn!(file = %file.display(), %error, "no history is kept");
            Ok(editor)
        }
    }
}

fn history_file() -> Option<PathBuf> {
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/state"));
    let state = std::env::var_os("XDG_STATE_HOME").map(PathBuf::from).or_else(home)?;
    Some(state.join("firesteel/sql-history"))
}

/// Enter ends the input when a statement is whole; before that it makes a new line.
struct Statements;

impl Validator for Statements {
    fn validate(&self, line: &str) -> ValidationResult {
        if Command::parse(line).is_some() || is_complete(line) {
            ValidationResult::Complete
        } else {
            ValidationResult::Incomplete
        }
    }
}

/// What is meant for the shell rather than the engine.
#[derive(Debug, PartialEq)]
enum Command {
    Quit,
    Help,
    Format(Format),
    Unknown(String),
}

impl Command {
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if matches!(text.trim_end_matches(';'), "quit" | "exit") {
            return Some(Self::Quit);
        }
        let mut words = text.strip_prefix('\\')?.split_whitespace();
        Some(match (words.next(), words.next()) {
            (Some("q"), None) => Self::Quit,
            (Some("?"), None) => Self::Help,
            (Some("format"), Some("table")) => Self::Format(Format::Table),
            (Some("format"), Some("csv")) => Self::Format(Format::Csv),
            (Some("format"), Some("json")) => Self::Format(Format::Json),
            _ => Self::Unknown(text.to_owned()),
        })
    }
}

struct Shell<'a> {
    session: &'a SqlSession,
    format: Format,
    interrupts: &'a mut Interrupts,
}

/// What an input leads to.
struct Entered {
    is_over: bool,
}

impl Shell<'_> {
    async fn enter(&mut self, text: &str) -> Result<Entered, Failure> {
        let is_over = match Command::parse(text) {
            Some(Command::Quit) => true,
            Some(Command::Help) => {
                say(HELP);
                false
            }
            Some(Command::Format(format)) => {
                self.format = format;
                false
            }
            Some(Command::Unknown(text)) => {
                say(&format!("{text} is no command of the shell; \\? lists them"));
                false
            }
            None => {
                self.statements(text).await?;
                false
            }
        };
        Ok(Entered { is_over })
    }

    /// Runs what was typed. An error ends the input, not the shell.
    async fn statements(&mut self, text: &str) -> Result<(), Failure> {
        let statements = match firesteel_sql::split_statements(text) {
            Ok(statements) => statements,
            Err(error) => {
                say(&error.to_string());
                return Ok(());
            }
        };
        for statement in statements {
            let begun = Instant::now();
            match self.statement(&statement).await {
                Ok(rows) => say(&summary(rows, begun.elapsed().as_secs_f64())),
                Err(Failure::Spark(error)) => {
                    say(&error.to_string());
                    return Ok(());
                }
                Err(failure) => return Err(failure),
            }
        }
        Ok(())
    }

    async fn statement(&mut self, statement: &str) -> Result<u64, Failure> {
        let work = async {
            let rows = self.session.execute(statement).await?;
            rows::print(rows, self.format, &mut std::io::stdout()).await
        };
        tokio::pin!(work);
        tokio::select! {
            result = &mut work => return result,
            interrupt = self.interrupts.next() => {
                self.session.cancel();
                if interrupt == Interrupt::Terminate {
                    return Err(Failure::Interrupted(interrupt));
                }
            }
        }
        tokio::select! {
            result = &mut work => result,
            interrupt = self.interrupts.next() => Err(Failure::Interrupted(interrupt)),
        }
    }
}

fn summary(rows: u64, seconds: f64) -> String {
    match rows {
        1 => format!("1 row, {seconds:.2} s"),
        rows => format!("{rows} rows, {seconds:.2} s"),
    }
}

/// Words of the shell itself go to standard error, so that rows can be sent elsewhere.
fn say(text: &str) {
    // Nobody reads them if it is closed.
    let _ = writeln!(std::io::stderr(), "{text}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_of_the_shell() {
        for (text, command) in [
            ("\\q", Some(Command::Quit)),
            ("exit;", Some(Command::Quit)),
            ("quit", Some(Command::Quit)),
            (" \\? ", Some(Command::Help)),
            ("\\format json", Some(Command::Format(Format::Json))),
            ("\\format xml", Some(Command::Unknown("\\format xml".into()))),
            ("SELECT 1;", None),
        ] {
            assert_eq!(Command::parse(text), command, "{text}");
        }
    }

    #[test]
    fn enter_runs_only_whole_statements() {
        for (text, whole) in [("\\q", true), ("SELECT 1", false), ("SELECT 1;", true), ("", true)] {
            assert_eq!(matches!(Statements.validate(text), ValidationResult::Complete), whole, "{text}");
        }
    }

    #[test]
    fn timings() {
        assert_eq!(summary(1, 0.123), "1 row, 0.12 s");
        assert_eq!(summary(0, 1.0), "0 rows, 1.00 s");
    }
}
