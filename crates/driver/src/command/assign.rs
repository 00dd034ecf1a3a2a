//! From the rows of an INSERT to the columns of a table: by position, by name, with static partitions and defaults.

use firesteel_catalog::TableMetadata;
use firesteel_functions::coercion;
use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::command::Insert;
use firesteel_spec::expr::{CastMode, CastTarget};
use firesteel_spec::types::{quote, quote_name};
use firesteel_spec::{Expr, ExprNode, Relation, RelationNode, StructField};

use super::defaults;
use crate::planning;
use crate::session::DriverSession;

/// The input's columns in the table's order, by position.
pub(super) async fn by_position(session: &DriverSession, input: &Relation, table: &TableMetadata) -> Result<Relation> {
    let (columns, given) = (table.columns()?, planning::analyzed(session, input).await?.fields);
    check_count(table, &columns, &given)?;
    let sources = (0..columns.len()).map(Some).collect::<Vec<_>>();
    assigned(table, input, &given, &columns, &sources, &[])
}

/// The input's columns in the table's order, by name.
pub(super) async fn by_name(session: &DriverSession, input: &Relation, table: &TableMetadata) -> Result<Relation> {
    let (columns, given) = (table.columns()?, planning::analyzed(session, input).await?.fields);
    named(table, input, &given, &columns, &[])
}

/// The rows of an INSERT as the table's columns.
pub(super) async fn for_insert(session: &DriverSession, insert: &Insert, table: &TableMetadata) -> Result<Relation> {
    let columns = table.columns()?;
    let mut constants: Vec<(usize, Expr)> = Vec::new();
    for (name, value) in &insert.partition {
        let index = position(&columns, name)
            .ok_or_else(|| SparkError::new(&error_class::NON_PARTITION_COLUMN).param("columnName", quote(name)))?;
        if let Some(value) = value {
            constants.push((index, value.clone()));
        }
    }
    if insert.by_name {
        let given = planning::analyzed(session, &insert.query).await?.fields;
        return named(table, &insert.query, &given, &columns, &constants);
    }
    let is_constant = |index: &usize| constants.iter().any(|(i, _)| i == index);
    let targets: Vec<usize> = if insert.columns.is_empty() {
        (0..columns.len()).filter(|index| !is_constant(index)).collect()
    } else {
        let find = |name: &String| {
            position(&columns, name).ok_or_else(|| {
                SparkError::new(&error_class::UNRESOLVED_COLUMN_WITH_SUGGESTION)
                    .param("objectName", quote(name))
                    .param("proposal", columns.iter().map(|c| quote(&c.name)).collect::<Vec<_>>().join(", "))
            })
        };
        insert.columns.iter().map(find).collect::<Result<_>>()?
    };
    let wanted: Vec<_> = targets.iter().map(|index| columns[*index].clone()).collect();
    let query = defaults::filled_in(&insert.query, &wanted)?;
    let given = planning::analyzed(session, &query).await?.fields;
    check_count(table, &wanted, &given)?;
    let sources: Vec<_> = (0..columns.len()).map(|index| targets.iter().position(|t| *t == index)).collect();
    assigned(table, &query, &given, &columns, &sources, &constants)
}

fn named(
    table: &TableMetadata,
    input: &Relation,
    given: &[StructField],
    columns: &[StructField],
    constants: &[(usize, Expr)],
) -> Result<Relation> {
    if let Some(extra) = given.iter().find(|field| position(columns, &field.name).is_none()) {
        return Err(SparkError::new(&error_class::INCOMPATIBLE_DATA_FOR_TABLE_EXTRA_COLUMNS)
            .param("tableName", quote_name(&table.qualified_name()))
            .param("extraColumns", quote(&extra.name)));
    }
    let sources: Vec<_> = columns.iter().map(|column| position(given, &column.name)).collect();
    assigned(table, input, given, columns, &sources, constants)
}

/// A projection that gives each column its source, constant or default, cast to the column's type.
fn assigned(
    table: &TableMetadata,
    input: &Relation,
    given: &[StructField],
    columns: &[StructField],
    sources: &[Option<usize>],
    constants: &[(usize, Expr)],
) -> Result<Relation> {
    let names = (0..given.len()).map(|index| format!("source_{index}")).collect();
    let renamed = Relation::new(RelationNode::ToDf { input: input.clone(), names });
    let mut items = Vec::with_capacity(columns.len());
    for (index, column) in columns.iter().enumerate() {
        let constant = constants.iter().find(|(i, _)| *i == index).map(|(_, value)| value.clone());
        let value = match (constant, sources.get(index).copied().flatten()) {
            (Some(constant), _) if *constant.node == ExprNode::Default => defaults::default_of(column)?,
            (Some(constant), _) => constant,
            (None, Some(source)) => {
                let from = &given[source].data_type;
                if !coercion::can_store(from, &column.data_type) {
                    return Err(SparkError::new(&error_class::INCOMPATIBLE_DATA_FOR_TABLE_CANNOT_SAFELY_CAST)
                        .param("tableName", quote_name(&table.qualified_name()))
                        .param("colName", quote(&column.name))
                        .param("srcType", format!("\"{}\"", from.sql()))
                        .param("targetType", format!("\"{}\"", column.data_type.sql())));
                }
                Expr::column([format!("source_{source}")])
            }
            (None, None) => defaults::default_of(column)?,
        };
        let target = CastTarget::Type(column.data_type.clone());
        let cast = Expr::new(ExprNode::Cast { child: value, target, mode: CastMode::Store });
        items.push(cast.alias(column.name.clone()));
    }
    Ok(Relation::new(RelationNode::Project { input: renamed, items }))
}

fn check_count(table: &TableMetadata, wanted: &[StructField], given: &[StructField]) -> Result<()> {
    if wanted.len() == given.len() {
        return Ok(());
    }
    let class = if given.len() < wanted.len() {
        &error_class::INSERT_COLUMN_ARITY_MISMATCH_NOT_ENOUGH_DATA_COLUMNS
    } else {
        &error_class::INSERT_COLUMN_ARITY_MISMATCH_TOO_MANY_DATA_COLUMNS
    };
    let list = |fields: &[StructField]| fields.iter().map(|f| quote(&f.name)).collect::<Vec<_>>().join(", ");
    Err(SparkError::new(class)
        .param("tableName", quote_name(&table.qualified_name()))
        .param("tableColumns", list(wanted))
        .param("dataColumns", list(given)))
}

fn position(columns: &[StructField], name: &str) -> Option<usize> {
    columns.iter().position(|column| column.name.eq_ignore_ascii_case(name))
}
