//! Column defaults: checked when they are declared, put where an INSERT says DEFAULT or leaves a column out.

use firesteel_functions::coercion;
use firesteel_model::{Result, SparkError, error_class};
use firesteel_sources::Format;
use firesteel_spec::command::ColumnDefinition;
use firesteel_spec::expr::{CastMode, CastTarget};
use firesteel_spec::types::{CURRENT_DEFAULT, EXISTING_VALUE, EXISTS_DEFAULT, quote};
use firesteel_spec::{DataType, Expr, ExprNode, Literal, Relation, RelationNode, StructField};

use super::functions::evaluate;
use super::table::field;
use crate::planning;
use crate::session::DriverSession;

/// The field of a column in DDL; `statement` is its name in messages.
///
/// Errors: `INVALID_DEFAULT_VALUE.*` for a default that is no constant of the column's type.
pub(super) async fn declared(
    session: &DriverSession,
    definition: &ColumnDefinition,
    statement: &str,
) -> Result<StructField> {
    let field = field(definition);
    match &definition.default {
        None => Ok(field),
        Some((expr, text)) => {
            check(session, &field, expr, text, statement).await?;
            Ok(field.with_text(CURRENT_DEFAULT, Some(text)).with_text(EXISTS_DEFAULT, Some(text)))
        }
    }
}

/// The field of a column added to a table that may have rows: they get the default too.
///
/// Errors: as [`declared`]; a default of a table whose format cannot give it to rows that are there.
pub(super) async fn added(session: &DriverSession, definition: &ColumnDefinition, format: &str) -> Result<StructField> {
    let field = declared(session, definition, "ALTER TABLE ADD COLUMNS").await?;
    let Some((expr, _)) = &definition.default else { return Ok(field) };
    let fills = matches!(Format::parse(format)?, Format::Parquet | Format::Orc | Format::Avro);
    let is_plain = field.data_type.is_numeric()
        || field.data_type.is_string()
        || matches!(field.data_type, DataType::Boolean | DataType::Date | DataType::TimestampNtz);
    if !fills || !is_plain {
        let what = format!("a DEFAULT of a {} column added to a table of {format}", field.data_type.sql());
        return Err(SparkError::unsupported(what));
    }
    let text = cast(cast(expr.clone(), &field.data_type), &DataType::STRING);
    match evaluate(session, &text).await? {
        (_, Literal::String(value)) => Ok(field.with_text(EXISTING_VALUE, Some(&value))),
        _ => Ok(field),
    }
}

/// SET DEFAULT, and DROP DEFAULT without one: rows that are there keep what they have.
pub(super) async fn changed(
    session: &DriverSession,
    field: StructField,
    default: Option<&(Expr, String)>,
) -> Result<StructField> {
    if let Some((expr, text)) = default {
        check(session, &field, expr, text, "ALTER TABLE ALTER COLUMN").await?;
    }
    Ok(field.with_text(CURRENT_DEFAULT, default.map(|(_, text)| text.as_str())))
}

async fn check(session: &DriverSession, field: &StructField, expr: &Expr, text: &str, statement: &str) -> Result<()> {
    let about = |failure: SparkError| {
        failure.param("statement", statement).param("colName", quote(&field.name)).param("defaultValue", text)
    };
    if matches!(expr.node.as_ref(), ExprNode::ScalarSubquery(_) | ExprNode::Exists(_) | ExprNode::InSubquery { .. }) {
        return Err(about(SparkError::new(&error_class::INVALID_DEFAULT_VALUE_SUBQUERY_EXPRESSION)));
    }
    let query = Relation::new(RelationNode::Project {
        input: Relation::new(RelationNode::OneRow),
        items: vec![expr.clone().alias("value")],
    });
    let given = planning::analyzed(session, &query).await.map_err(|failure| {
        about(SparkError::new(&error_class::INVALID_DEFAULT_VALUE_UNRESOLVED_EXPRESSION).source(failure))
    })?;
    match given.fields.first() {
        Some(given) if !coercion::can_store(&given.data_type, &field.data_type) => {
            Err(about(SparkError::new(&error_class::INVALID_DEFAULT_VALUE_DATA_TYPE))
                .param("expectedType", coercion::type_sql(&field.data_type))
                .param("actualType", coercion::type_sql(&given.data_type)))
        }
        _ => Ok(()),
    }
}

/// What an INSERT that leaves the column out puts there: its default, or NULL.
pub(super) fn default_of(column: &StructField) -> Result<Expr> {
    match column.text(CURRENT_DEFAULT) {
        Some(text) => firesteel_sql::parse_expression(&text),
        None => Ok(Expr::literal(Literal::Null(column.data_type.clone()))),
    }
}

/// The query with the defaults of the columns it fills in place of DEFAULT in VALUES and in its select list.
pub(super) fn filled_in(query: &Relation, columns: &[StructField]) -> Result<Relation> {
    let node = match query.node.as_ref() {
        RelationNode::Values(rows) => {
            RelationNode::Values(rows.iter().map(|row| list(row, columns)).collect::<Result<_>>()?)
        }
        RelationNode::Project { input, items } => {
            RelationNode::Project { input: input.clone(), items: list(items, columns)? }
        }
        RelationNode::Alias { input, name, columns: names } => {
            RelationNode::Alias { input: filled_in(input, columns)?, name: name.clone(), columns: names.clone() }
        }
        RelationNode::With { input, ctes, is_recursive } => {
            let input = filled_in(input, columns)?;
            RelationNode::With { input, ctes: ctes.clone(), is_recursive: *is_recursive }
        }
        RelationNode::SetOperation { left, right, kind, is_all, by_name, allow_missing } => {
            RelationNode::SetOperation {
                left: filled_in(left, columns)?,
                right: filled_in(right, columns)?,
                kind: *kind,
                is_all: *is_all,
                by_name: *by_name,
                allow_missing: *allow_missing,
            }
        }
        _ => return Ok(query.clone()),
    };
    Ok(Relation { node: Box::new(node), ..query.clone() })
}

fn list(items: &[Expr], columns: &[StructField]) -> Result<Vec<Expr>> {
    let filled = items.iter().enumerate().map(|(index, item)| {
        let is_default = match item.node.as_ref() {
            ExprNode::Alias { child, .. } => *child.node == ExprNode::Default,
            node => *node == ExprNode::Default,
        };
        match columns.get(index) {
            Some(column) if is_default => Ok(cast(default_of(column)?, &column.data_type)),
            _ => Ok(item.clone()),
        }
    });
    filled.collect()
}

fn cast(child: Expr, data_type: &DataType) -> Expr {
    let target = CastTarget::Type(data_type.clone());
    Expr::new(ExprNode::Cast { child, target, mode: CastMode::Ansi })
}
