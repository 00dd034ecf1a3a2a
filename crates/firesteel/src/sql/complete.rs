//! Whether what has been typed so far is a whole statement.

/// A word that no statement ends with; what follows a semicolon that ends a statement is a statement of its own.
const PROBE: &str = "firesteel_probe";

/// Whether `text` ends with the semicolon of a statement, outside strings, comments and BEGIN .. END.
pub(super) fn is_complete(text: &str) -> bool {
    if text.trim().is_empty() {
        return true;
    }
    // On a line of its own, because a line comment would swallow it.
    let probed = firesteel_sql::split_statements(&format!("{text}\n{PROBE}"));
    text.trim_end().ends_with(';')
        && probed.is_ok_and(|statements| statements.last().is_some_and(|last| last.trim() == PROBE))
}

#[cfg(test)]
mod tests {
    use super::is_complete;

    #[test]
    fn a_semicolon_ends_a_statement_unless_it_is_inside_something() {
        for (text, expected) in [
            ("", true),
            ("SELECT 1;", true),
            ("SELECT 1; ", true),
            ("SELECT 1", false),
            ("SELECT 1\nFROM", false),
            ("SELECT ';", false),
            ("SELECT ';';", true),
            ("SELECT 1 -- ;", false),
            ("SELECT 1 /* ; */", false),
            ("SELECT 1 /* ;", false),
            ("SELECT 1; SELECT 2", false),
            ("SELECT 1; SELECT 2;", true),
            ("BEGIN SELECT 1; END;", true),
        ] {
            assert_eq!(is_complete(text), expected, "{text}");
        }
    }
}
