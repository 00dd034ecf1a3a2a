//! Text to records: quotes, escapes, separators of any length.

use super::options::{Dialect, UnescapedQuotes};

/// The values of one record; memory is reused from record to record.
#[derive(Default)]
pub(crate) struct Fields {
    text: String,
    values: Vec<(usize, Kind)>,
    /// Whether the record breaks the rules of quotes or sizes.
    pub(crate) is_malformed: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Plain,
    Quoted,
    Absent,
}

impl Fields {
    pub(crate) fn len(&self) -> usize {
        self.values.len()
    }

    /// A value; `None` where NULL was read.
    pub(crate) fn get<'a>(&'a self, index: usize, dialect: &'a Dialect) -> Option<&'a str> {
        let (end, kind) = *self.values.get(index)?;
        let start = if index == 0 { 0 } else { self.values[index - 1].0 };
        let text = match (kind, &self.text[start..end]) {
            (Kind::Absent, _) => return None,
            (Kind::Quoted, "") => dialect.empty_value.as_str(),
            (Kind::Plain, "") => return None,
            (_, text) => text,
        };
        (text != dialect.null_value).then_some(text)
    }

    fn clear(&mut self) {
        self.text.clear();
        self.values.clear();
        self.is_malformed = false;
    }

    fn end(&mut self, kind: Kind) {
        self.values.push((self.text.len(), kind));
    }
}

/// Reads records one after another from text.
pub(crate) struct Records<'a> {
    dialect: &'a Dialect,
    rest: &'a str,
    /// Whether line ends separate records; otherwise the text is one record.
    multi_line: bool,
}

impl<'a> Records<'a> {
    pub(crate) fn new(dialect: &'a Dialect, text: &'a str, multi_line: bool) -> Self {
        Self { dialect, rest: text, multi_line }
    }

    /// Reads the next record into `fields` and gives its text; empty lines and comments are skipped.
    pub(crate) fn next(&mut self, fields: &mut Fields) -> Option<&'a str> {
        loop {
            if self.rest.is_empty() {
                return None;
            }
            if self.skips_line() {
                continue;
            }
            let before = self.rest;
            fields.clear();
            while self.value(fields) {}
            fields.is_malformed |= fields.len() > self.dialect.max_columns;
            let record = &before[..before.len() - self.rest.len()];
            return Some(record.trim_end_matches(['\n', '\r']));
        }
    }

    fn skips_line(&mut self) -> bool {
        let end = self.line_end(self.rest).unwrap_or(self.rest.len());
        let line = &self.rest[..end];
        let is_comment = self.dialect.comment.is_some_and(|c| line.trim_start().starts_with(c));
        if line.trim_matches(|c: char| c <= ' ').is_empty() || is_comment {
            self.rest = &self.rest[end..];
            self.line_break();
            return true;
        }
        false
    }

    fn line_end(&self, text: &str) -> Option<usize> {
        if self.multi_line { memchr::memchr2(b'\n', b'\r', text.as_bytes()) } else { None }
    }

    /// Steps over a line end, if there is one.
    fn line_break(&mut self) -> bool {
        let rest = self.rest.strip_prefix("\r\n").or_else(|| self.rest.strip_prefix(['\n', '\r']));
        match rest {
            Some(rest) if self.multi_line => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    /// Reads a value and what ends it; whether another one follows.
    fn value(&mut self, fields: &mut Fields) -> bool {
        if self.dialect.trim_start {
            let separator = &self.dialect.separator;
            let blank = |c: char| c <= ' ' && c != '\n' && c != '\r' && !separator.starts_with(c);
            self.rest = self.rest.trim_start_matches(blank);
        }
        let start = fields.text.len();
        let kind = match self.dialect.quote.and_then(|quote| self.rest.strip_prefix(quote)) {
            Some(inside) => self.quoted(inside, fields),
            None => self.plain(fields),
        };
        let too_long = self.dialect.max_chars_per_column.is_some_and(|max| fields.text.len() - start > max);
        fields.is_malformed |= too_long;
        fields.end(kind);
        match self.rest.strip_prefix(self.dialect.separator.as_str()) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => {
                self.line_break();
                false
            }
        }
    }

    fn value_end(&self, text: &str) -> usize {
        let separator = self.dialect.separator.as_bytes();
        let separator = match separator {
            [byte] => memchr::memchr(*byte, text.as_bytes()),
            _ => memchr::memmem::find(text.as_bytes(), separator),
        };
        let end = separator.unwrap_or(text.len());
        self.line_end(&text[..end]).unwrap_or(end)
    }

    fn plain(&mut self, fields: &mut Fields) -> Kind {
        let end = self.value_end(self.rest);
        let value = &self.rest[..end];
        let value = if self.dialect.trim_end { value.trim_end_matches(|c: char| c <= ' ') } else { value };
        fields.text.push_str(value);
        self.rest = &self.rest[end..];
        Kind::Plain
    }

    fn quoted(&mut self, inside: &'a str, fields: &mut Fields) -> Kind {
        let start = fields.text.len();
        let mut rest = inside;
        while let Some(at) = rest.find(|c| Some(c) == self.dialect.quote || Some(c) == self.dialect.escape) {
            fields.text.push_str(&rest[..at]);
            let mut chars = rest[at..].chars();
            let found = chars.next();
            let next = chars.clone().next();
            let escapes_quote = found == self.dialect.escape && next.is_some() && next == self.dialect.quote;
            let escapes_itself =
                found == self.dialect.escape_of_escape && next.is_some() && next == self.dialect.escape;
            if (escapes_quote || escapes_itself) && !(found == self.dialect.quote && self.dialect.escape.is_none()) {
                fields.text.extend(next);
                chars.next();
                rest = chars.as_str();
            } else if found == self.dialect.quote {
                rest = chars.as_str();
                if self.closes(rest) {
                    self.rest = rest;
                    return Kind::Quoted;
                }
                match self.dialect.unescaped_quotes {
                    UnescapedQuotes::StopAtClosingQuote => fields.text.extend(found),
                    UnescapedQuotes::StopAtDelimiter => {
                        fields.text.truncate(start);
                        return self.plain(fields);
                    }
                    UnescapedQuotes::SkipValue | UnescapedQuotes::RaiseError => {
                        fields.text.truncate(start);
                        fields.is_malformed |= self.dialect.unescaped_quotes == UnescapedQuotes::RaiseError;
                        self.rest = &rest[self.value_end(rest)..];
                        return Kind::Absent;
                    }
                }
            } else {
                fields.text.extend(found);
                rest = chars.as_str();
            }
        }
        fields.text.push_str(rest);
        self.rest = "";
        Kind::Quoted
    }

    /// Whether a value ends after a closing quote.
    fn closes(&self, rest: &str) -> bool {
        rest.is_empty()
            || rest.starts_with(self.dialect.separator.as_str())
            || (self.multi_line && rest.starts_with(['\n', '\r']))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Options;

    fn check(options: &[(&str, &str)], line: &str, expected: &[Option<&str>]) {
        let options: Options = options.iter().copied().collect();
        let dialect = Dialect::new(&options, false).expect("options");
        let mut fields = Fields::default();
        Records::new(&dialect, line, false).next(&mut fields).expect("a record");
        let found: Vec<_> = (0..fields.len()).map(|index| fields.get(index, &dialect)).collect();
        assert_eq!(found, expected, "{line}");
    }

    #[test]
    fn records() {
        check(&[], "a,b,,d", &[Some("a"), Some("b"), None, Some("d")]);
        check(&[], r#""a,b","c""#, &[Some("a,b"), Some("c")]);
        check(&[], r#""a\"b",c"#, &[Some("a\"b"), Some("c")]);
        check(&[("escape", "\"")], r#""a""b",c"#, &[Some("a\"b"), Some("c")]);
        check(&[], r#""a"b,c"#, &[Some("\"a\"b"), Some("c")]);
        check(&[], r#""a\\",c"#, &[Some("a\\"), Some("c")]);
        check(&[("sep", "||")], "a||b|c", &[Some("a"), Some("b|c")]);
        check(&[("nullValue", "-")], "-,\"\",x", &[None, Some(""), Some("x")]);
        check(
            &[("ignoreLeadingWhiteSpace", "true"), ("ignoreTrailingWhiteSpace", "true")],
            " a , b",
            &[Some("a"), Some("b")],
        );
        check(&[], "a,", &[Some("a"), None]);
    }
}
