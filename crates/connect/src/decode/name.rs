//! Names in one text, such as ``db.`a table` ``, into their parts.

use firesteel_model::{Result, SparkError, error_class};

/// The unquoted parts of a dotted name.
///
/// Errors: `INVALID_ATTRIBUTE_NAME_SYNTAX` for unbalanced quotes and empty parts.
pub(crate) fn parts(text: &str) -> Result<Vec<String>> {
    let wrong = || SparkError::new(&error_class::INVALID_ATTRIBUTE_NAME_SYNTAX).param("name", text);
    let mut parts = Vec::new();
    let mut rest = text;
    loop {
        let part;
        (part, rest) = if rest.starts_with('`') { quoted(rest) } else { plain(rest) }.ok_or_else(wrong)?;
        parts.push(part);
        if rest.is_empty() {
            return Ok(parts);
        }
        rest = rest.strip_prefix('.').ok_or_else(wrong)?;
    }
}

/// The part up to the closing back-quote, and what follows; a doubled back-quote stands for one.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut part = String::new();
    let mut rest = text.strip_prefix('`')?;
    loop {
        let end = rest.find('`')?;
        part.push_str(&rest[..end]);
        rest = &rest[end + 1..];
        match rest.strip_prefix('`') {
            Some(after) => {
                part.push('`');
                rest = after;
            }
            None => return Some((part, rest)),
        }
    }
}

/// The part up to the next dot, and what follows.
fn plain(text: &str) -> Option<(String, &str)> {
    let end = text.find('.').unwrap_or(text.len());
    let part = &text[..end];
    (!part.is_empty() && !part.contains('`')).then(|| (part.to_owned(), &text[end..]))
}

#[cfg(test)]
mod tests {
    use super::parts;

    #[test]
    fn names_split_at_dots_outside_quotes() {
        let cases: [(&str, &[&str]); 6] = [
            ("a", &["a"]),
            ("a.b", &["a", "b"]),
            ("`a.b`.c", &["a.b", "c"]),
            ("a.`b``c`", &["a", "b`c"]),
            ("parquet.`/x/y.parquet`", &["parquet", "/x/y.parquet"]),
            ("with space", &["with space"]),
        ];
        for (text, expected) in cases {
            assert_eq!(parts(text).unwrap(), expected, "{text}");
        }
        for text in ["", "a.", ".a", "a..b", "`a", "a`b", "`a`b"] {
            assert!(parts(text).is_err(), "{text}");
        }
    }
}
