//! Spark SQL text to the unresolved plan.
//!
//! ```text
//!   text --lexer--> tokens --parser--> Plan (firesteel-spec)
//!                              |
//!        expr, primary, call, number, interval, typed_literal     expressions
//!        query, select, from, pivot, pipe                         queries
//!        statement, table, alter, view, function, property, dml   definitions and changes
//!        show, session                                            questions and settings
//!        script, split                                            BEGIN .. END
//! ```
//!
//! The grammar is Spark 4.2's with its default keywords: nearly every word may be an identifier. It must not know
//! catalogs, functions or the session: what a name means is the planner's business.

mod alter;
mod call;
mod data_type;
mod datetime_text;
mod dml;
mod error;
mod expr;
mod from;
mod function;
mod identifier;
mod interval;
mod interval_text;
mod lexer;
mod number;
mod parser;
mod pipe;
mod pivot;
mod primary;
mod property;
mod query;
mod script;
mod select;
mod session;
mod show;
mod split;
mod statement;
mod table;
mod text_literal;
mod token;
mod typed_literal;
mod view;

pub use parser::ParserOptions;
pub use split::split_statements;

use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::{DataType, Expr, Plan, StructField};

use parser::Parser;

/// Parses one statement; a semicolon may end it.
///
/// Errors: `PARSE_SYNTAX_ERROR`, `PARSE_EMPTY_STATEMENT` and Spark's other parse errors, with their position.
pub fn parse_statement(text: &str) -> Result<Plan> {
    parse_statement_with(text, &ParserOptions::default())
}

/// Parses one statement with values for its parameter markers.
pub fn parse_statement_with(text: &str, options: &ParserOptions) -> Result<Plan> {
    non_empty(text, options)?.whole(Parser::statement)
}

/// Parses an expression, which may have an alias.
pub fn parse_expression(text: &str) -> Result<Expr> {
    non_empty(text, &ParserOptions::default())?.whole(Parser::named_expression)
}

/// Parses a type: `decimal(10,2)`, `struct<a: int comment 'x'>`.
pub fn parse_data_type(text: &str) -> Result<DataType> {
    non_empty(text, &ParserOptions::default())?.whole(Parser::data_type)
}

/// Parses the columns of a table: `a INT, b STRING NOT NULL`; a bare type is one column `value`, a bare struct its
/// fields.
pub fn parse_table_schema(text: &str) -> Result<Vec<StructField>> {
    let columns = non_empty(text, &ParserOptions::default())?.whole(Parser::table_schema);
    let error = match columns {
        Ok(columns) => return Ok(columns),
        Err(error) => error,
    };
    match parse_data_type(text) {
        Ok(DataType::Struct(fields)) => Ok(fields),
        Ok(data_type) => Ok(vec![StructField::new("value", data_type, true)]),
        Err(_) => Err(error),
    }
}

/// Parses `a.b.c` into its unquoted parts.
pub fn parse_multipart_identifier(text: &str) -> Result<Vec<String>> {
    identifier::parse_parts(text)
}

fn non_empty(text: &str, options: &ParserOptions) -> Result<Parser> {
    let parser = Parser::new(text, options.clone())?;
    if parser.tokens.iter().all(|token| token.is_symbol(";") || token.kind == token::TokenKind::End) {
        return Err(SparkError::new(&error_class::PARSE_EMPTY_STATEMENT));
    }
    Ok(parser)
}
