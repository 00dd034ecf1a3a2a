//! A file of statements, cut at its semicolons.

use firesteel_model::Result;

use crate::parser::{Parser, ParserOptions};
use crate::token::{Token, TokenKind};

impl Parser {
    fn split(&mut self) -> Vec<String> {
        let mut statements = Vec::new();
        loop {
            while self.eat_symbol(";") {}
            if self.at_end() {
                return statements;
            }
            let start = self.at;
            // Semicolons inside BEGIN .. END do not end the statement; a block that is wrong goes on to the end.
            if self.at_block() {
                let is_whole = matches!(self.attempt(|p| p.script()), Ok(Some(_)));
                if !is_whole {
                    self.at = self.tokens.len() - 1;
                }
            }
            self.rest();
            // What opens a string and does not close it takes all that follows.
            if self.tokens[start..self.at].iter().any(|token| self.opens_text(token)) {
                self.at = self.tokens.len() - 1;
            }
            statements.push(self.text_from(start));
        }
    }

    fn opens_text(&self, token: &Token) -> bool {
        let first = || self.chars.get(token.start as usize);
        token.kind == TokenKind::Unknown && matches!(first(), Some('\'' | '"' | '`'))
    }
}

/// The statements of a text, without their semicolons: strings, comments and BEGIN .. END stay whole.
///
/// Errors: `UNCLOSED_BRACKETED_COMMENT`.
pub fn split_statements(text: &str) -> Result<Vec<String>> {
    Ok(Parser::new(text, ParserOptions::default())?.split())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::split_statements;

    #[test]
    fn semicolons_in_strings_comments_and_blocks() {
        let text = "SELECT ';'; -- a;b\n SELECT 2 /* ; */;; BEGIN SELECT 1; IF a THEN SELECT 2; END IF; END; SELECT 3";
        let expected = ["SELECT ';'", "SELECT 2", "BEGIN SELECT 1; IF a THEN SELECT 2; END IF; END", "SELECT 3"];
        assert_eq!(split_statements(text).unwrap(), expected);
        assert_eq!(split_statements("SELECT 1; SELECT ';\n SELECT 2").unwrap(), ["SELECT 1", "SELECT ';\n SELECT 2"]);
        assert!(split_statements("SELECT 1; BEGIN SELECT FROM FROM;;").unwrap().len() == 2);
    }
}
