//! What changes columns and keeps rows: withColumns, renames, drop, toDF, to(schema), aliases.

use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::relation::SchemaText;
use firesteel_spec::types::quote;
use firesteel_spec::{Expr, ExprNode, Relation, StructField};

use super::select::window_plan;
use super::set::visible_only;
use crate::attribute::Attribute;
use crate::expr::{Aside, Item, Resolver, number_plan};
use crate::planner::Planner;
use crate::resolved::Resolved;

impl Planner<'_> {
    /// `withColumns`: columns of the same name are replaced, the others added.
    pub(super) fn with_columns(&mut self, input: &Relation, columns: &[Expr]) -> Result<Resolved> {
        let input = self.relation(input)?;
        let aside = Aside { aggregates: None, ..Aside::of_rows() };
        let mut resolver = Resolver::new(self, &input.output).with_aside(aside);
        let mut new: Vec<Item> = Vec::new();
        for column in columns {
            new.extend(resolver.items(std::slice::from_ref(column))?);
            resolver.aliases.clear();
        }
        let mut aside = std::mem::take(&mut resolver.aside);
        let mut input = self.in_time_windows(input, &mut aside.time_windows.take().unwrap_or_default())?;
        input.plan = number_plan(input.plan, aside.numbers.take().unwrap_or_default())?;
        let names = self.names;
        for (index, item) in new.iter().enumerate() {
            if new[..index].iter().any(|other| names.same(&other.name, &item.name)) {
                return Err(SparkError::new(&error_class::COLUMN_ALREADY_EXISTS)
                    .param("columnName", quote(&item.name.to_lowercase())));
            }
        }
        let mut items: Vec<Item> = Vec::new();
        for attribute in input.output.iter().filter(|a| !a.is_hidden) {
            match new.iter().find(|n| names.same(&n.name, &attribute.name)) {
                Some(replacement) => items.push(replacement.clone()),
                None => items.push(Item::pass(attribute)),
            }
        }
        let added = new.into_iter().filter(|n| !input.visible().any(|a| names.same(&n.name, &a.name)));
        items.extend(added.collect::<Vec<_>>());
        let plan = self.unnest_all(input.plan.clone(), &input.output, &aside)?;
        let plan = window_plan(plan, aside.windows.unwrap_or_default())?;
        self.project(plan, input.output, items, None)
    }

    /// `withColumnsRenamed`: names that are not there are passed over.
    pub(super) fn with_columns_renamed(&mut self, input: &Relation, renames: &[(String, String)]) -> Result<Resolved> {
        let input = self.relation(input)?;
        let mut items: Vec<Item> = input.visible().map(Item::pass).collect();
        for (from, to) in renames {
            for item in items.iter_mut().filter(|item| self.names.same(&item.name, from)) {
                item.name.clone_from(to);
                item.passes = None;
            }
        }
        for item in &mut items {
            if item.passes.is_none() {
                item.typed.sql.clone_from(&item.name);
            }
        }
        self.project(input.plan, input.output, items, None)
    }

    /// `drop`, by column or by name; what is not there is passed over.
    pub(super) fn drop_columns(&mut self, input: &Relation, columns: &[Expr], names: &[String]) -> Result<Resolved> {
        let input = self.relation(input)?;
        let mut dropped = Vec::new();
        for column in columns {
            let is_column = matches!(column.node.as_ref(), ExprNode::Attribute { .. });
            match Resolver::new(self, &input.output).value(column) {
                Ok(typed) => {
                    dropped.extend(input.output.iter().filter(|a| a.expr() == typed.expr).map(|a| a.column.clone()))
                }
                Err(failure) if is_column && failure.class().name.starts_with("UNRESOLVED_COLUMN") => {}
                Err(failure) => return Err(failure),
            }
        }
        let by_name = |a: &&Attribute| names.iter().any(|n| self.names.same(n, &a.name));
        dropped.extend(input.output.iter().filter(by_name).map(|a| a.column.clone()));
        let output = input.output.iter().filter(|a| !dropped.contains(&a.column)).cloned().collect();
        let input = Resolved { output, below: None, ..input };
        visible_only(self, input)
    }

    /// `toDF(names)`
    pub(super) fn renamed_columns(&mut self, input: &Relation, names: &[String]) -> Result<Resolved> {
        let input = self.relation(input)?;
        let columns: Vec<_> = input.visible().cloned().collect();
        if columns.len() != names.len() {
            return Err(SparkError::new(&error_class::ASSIGNMENT_ARITY_MISMATCH)
                .param("numExpr", columns.len().to_string())
                .param("numTarget", names.len().to_string()));
        }
        let items = columns.iter().zip(names).map(|(c, name)| Item::named(c.typed(), name)).collect();
        self.project(input.plan, input.output, items, None)
    }

    /// `df.to(schema)`: columns by name, cast where that loses nothing, in the schema's order.
    pub(super) fn conformed(&mut self, input: &Relation, schema: &SchemaText) -> Result<Resolved> {
        let input = self.relation(input)?;
        let fields = self.schema_fields(schema)?;
        let mut items = Vec::new();
        for field in fields {
            let found: Vec<_> = input.visible().filter(|a| self.names.same(&a.name, &field.name)).cloned().collect();
            let value = match found.as_slice() {
                [one] => {
                    if one.nullable && !field.nullable {
                        return Err(
                            SparkError::new(&error_class::NULLABLE_COLUMN_OR_FIELD).param("name", quote(&field.name))
                        );
                    }
                    self.cast_to(one.typed(), &field.data_type)?
                }
                [] if field.nullable => self.null_of(&field.data_type)?,
                [] => {
                    return Err(crate::error::unresolved_column(std::slice::from_ref(&field.name), &input.output));
                }
                several => {
                    let several: Vec<_> = several.iter().collect();
                    return Err(crate::error::ambiguous(std::slice::from_ref(&field.name), &several));
                }
            };
            items.push(Item { metadata: field.metadata.clone(), ..Item::named(value, &field.name) });
        }
        self.project(input.plan, input.output, items, None)
    }

    /// The fields of a schema given as fields, as DDL or as JSON.
    pub(crate) fn schema_fields(&self, schema: &SchemaText) -> Result<Vec<StructField>> {
        match schema {
            SchemaText::Fields(fields) => Ok(fields.clone()),
            SchemaText::Text(text) => parse_schema(text),
        }
    }

    /// `(..) AS t(a, b)`: the columns get a new qualifier, and names if given.
    pub(super) fn alias(&mut self, input: &Relation, name: &[String], columns: &[String]) -> Result<Resolved> {
        let input = self.relation(input)?;
        if !columns.is_empty() {
            let expected = input.visible().count();
            if expected != columns.len() {
                return Err(SparkError::new(&error_class::ASSIGNMENT_ARITY_MISMATCH)
                    .param("numExpr", expected.to_string())
                    .param("numTarget", columns.len().to_string()));
            }
        }
        let mut names = columns.iter();
        let output = input
            .output
            .iter()
            .filter(|a| !a.is_hidden || a.tells_file())
            .map(|a| Attribute {
                qualifier: if name.is_empty() { a.qualifier.clone() } else { name.to_vec() },
                name: if a.is_hidden { &a.name } else { names.next().unwrap_or(&a.name) }.clone(),
                ..a.clone()
            })
            .collect();
        Ok(Resolved { output, below: None, plan: input.plan })
    }
}

/// A schema in DDL or in Spark's JSON.
pub(crate) fn parse_schema(text: &str) -> Result<Vec<StructField>> {
    if text.trim_start().starts_with('{') {
        return match firesteel_spec::DataType::parse_json(text)? {
            firesteel_spec::DataType::Struct(fields) => Ok(fields),
            other => Ok(vec![StructField::new("value", other, true)]),
        };
    }
    firesteel_sql::parse_table_schema(text)
}
