//! [`ErrorContext`]: the place in the user's program that an error is about.

use serde::{Deserialize, Serialize};

/// Text of the same line that is shown on either side of a fragment, at most.
const SURROUNDINGS_MAX: usize = 32;

/// A fragment of SQL text, or a call in the user's script. Indices are in characters, from 0, stop inclusive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorContext {
    /// `VIEW`, or empty for the statement itself.
    pub object_type: String,
    /// The view's name, or empty.
    pub object_name: String,
    /// First character of the fragment.
    pub start_index: i32,
    /// Last character of the fragment.
    pub stop_index: i32,
    /// The text between them; for a call in a script the method's name.
    pub fragment: String,
    /// File and line of a call in a script; empty for SQL text.
    pub call_site: String,
    /// All of it as Spark prints it below the message.
    pub summary: String,
}

impl ErrorContext {
    /// The characters from `start` to `stop` of an SQL text.
    pub fn of_sql(text: &str, start: u32, stop: u32) -> Self {
        let (start, stop) = (start as usize, stop as usize);
        let characters: Vec<char> = text.chars().collect();
        let fragment = characters.iter().skip(start).take((stop + 1).saturating_sub(start)).collect();
        Self {
            object_type: String::new(),
            object_name: String::new(),
            start_index: i32::try_from(start).unwrap_or(i32::MAX),
            stop_index: i32::try_from(stop).unwrap_or(i32::MAX),
            fragment,
            call_site: String::new(),
            summary: sql_summary(&characters, start, stop),
        }
    }

    /// A call of a method of the DataFrame API.
    pub fn of_call(method: &str, call_site: &str) -> Self {
        Self {
            object_type: String::new(),
            object_name: String::new(),
            start_index: 0,
            stop_index: 0,
            fragment: method.to_owned(),
            call_site: call_site.to_owned(),
            summary: format!("== DataFrame ==\n\"{method}\" was called from\n{call_site}\n"),
        }
    }

    /// Whether it is a call in a script.
    pub fn is_call(&self) -> bool {
        !self.call_site.is_empty()
    }
}

/// The lines that the fragment is in, with the fragment underlined.
fn sql_summary(text: &[char], start: usize, stop: usize) -> String {
    let start = start.min(text.len());
    let stop = stop.min(text.len().saturating_sub(1));
    let before = &text[..start];
    let line = before.iter().filter(|c| **c == '\n').count() + 1;
    let line_start = before.iter().rposition(|c| *c == '\n').map_or(0, |index| index + 1);
    let after = text.get(stop + 1..).unwrap_or_default();
    let line_stop = after.iter().position(|c| *c == '\n').map_or(text.len(), |index| stop + 1 + index);
    let shown_from = line_start.max(start.saturating_sub(SURROUNDINGS_MAX));
    let shown_to = line_stop.min(stop + 1 + SURROUNDINGS_MAX);
    let mut summary = format!("== SQL (line {line}, position {}) ==\n", start - line_start + 1);
    let mut index = shown_from;
    let shown: String = text.get(shown_from..shown_to).unwrap_or_default().iter().collect();
    let lines: Vec<&str> = shown.split('\n').collect();
    for (number, content) in lines.iter().enumerate() {
        let lead = if number == 0 && shown_from > line_start { "..." } else { "" };
        let trail = if number + 1 == lines.len() && shown_to < line_stop { "..." } else { "" };
        let mark = |at: usize| if (start..=stop).contains(&at) { '^' } else { ' ' };
        let marks: String = (index..index + content.chars().count()).map(mark).collect();
        let padding = " ".repeat(lead.len());
        summary.push_str(&format!("{lead}{content}{trail}\n{padding}{}\n", marks.trim_end()));
        index += content.chars().count() + 1;
    }
    summary
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fragments_are_underlined() {
        let context = ErrorContext::of_sql("SELECT id / 0 FROM range(1)", 7, 12);
        assert_eq!(context.fragment, "id / 0");
        let expected = "== SQL (line 1, position 8) ==\nSELECT id / 0 FROM range(1)\n       ^^^^^^\n";
        assert_eq!(context.summary, expected);
        let context = ErrorContext::of_sql("SELECT\n  1 /\n  0", 9, 15);
        assert_eq!(context.summary, "== SQL (line 2, position 3) ==\n  1 /\n  ^^^\n  0\n^^^\n");
        let long = format!("SELECT {} + x, {}", "a".repeat(40), "b".repeat(40));
        let context = ErrorContext::of_sql(&long, 50, 50);
        let lines: Vec<&str> = context.summary.lines().collect();
        assert!(lines[1].starts_with("...aaa") && lines[1].ends_with("bbb..."), "{}", context.summary);
        assert_eq!(lines[1].chars().nth(lines[2].len() - 1), Some('x'));
    }
}
