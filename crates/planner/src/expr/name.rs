//! Names: columns, struct fields, aliases of the same select list, columns of outer queries, variables.

use std::sync::Arc;

use datafusion::common::Column;
use datafusion::logical_expr::Expr as DfExpr;
use firesteel_functions::call::Typed;
use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::types::quote_name;
use firesteel_spec::{Literal, types_arrow};

use super::Resolver;
use crate::attribute::{Attribute, dotted};
use crate::error;

/// How Spark prints a lambda's parameter.
pub(super) const LAMBDA_VARIABLE: &str = "namedlambdavariable()";

impl Resolver<'_, '_> {
    /// Resolves a dotted name. `plan_id` ties it to one DataFrame.
    pub(super) fn name(&mut self, parts: &[String], plan_id: Option<i64>) -> Result<Typed> {
        if let Some(plan_id) = plan_id
            && let Some(found) = self.dataframe_column(parts, plan_id)?
        {
            return Ok(found);
        }
        if let Some(found) = self.lambda_parameter(parts)? {
            return Ok(found);
        }
        if self.aliases_first
            && let Some(found) = self.lateral_alias(parts)?
        {
            return Ok(found);
        }
        if let Some((attribute, rest)) = self.visible_column(parts)? {
            return self.fields(attribute.typed(), rest);
        }
        if let [name] = parts
            && let Some(found) = self.bare_function(name)?
        {
            return Ok(found);
        }
        if let Some(found) = self.lateral_alias(parts)? {
            return Ok(found);
        }
        if let Some(found) = self.parameter(parts)? {
            return Ok(found);
        }
        if let Some(found) = self.outer_column(parts)? {
            return Ok(found);
        }
        if let Some(found) = self.grouping_column(parts) {
            return Ok(found);
        }
        if let Some(found) = self.planner.env.variable(parts) {
            return Ok(found);
        }
        if plan_id.is_some_and(|id| !self.planner.plan_outputs.contains_key(&id)) {
            return Err(SparkError::new(&error_class::CANNOT_RESOLVE_DATAFRAME_COLUMN).param("name", quote_name(parts)));
        }
        Err(error::unresolved_column(parts, self.input))
    }

    /// A column by its internal name: what an ordinal in ORDER BY became.
    pub(super) fn internal(&self, parts: &[String], is_internal: bool) -> Option<Typed> {
        let ([column], true) = (parts, is_internal) else { return None };
        self.input.iter().find(|a| a.column == *column).map(Attribute::typed)
    }

    /// The column of the input that a name finds, and the parts that are left for struct fields.
    fn visible_column<'n>(&self, parts: &'n [String]) -> Result<Option<(Attribute, &'n [String])>> {
        let Some(hit) = self.planner.names.find(self.input, parts) else { return Ok(None) };
        match hit.attributes.as_slice() {
            [one] => Ok(Some(((*one).clone(), &parts[hit.parts_used..]))),
            several => Err(error::ambiguous(parts, several)),
        }
    }

    /// `df.a`: the column that this very DataFrame gave, if it is still there.
    fn dataframe_column(&mut self, parts: &[String], plan_id: i64) -> Result<Option<Typed>> {
        let Some(outputs) = self.planner.plan_outputs.get(&plan_id) else { return Ok(None) };
        let mut found: Vec<(Attribute, usize)> = Vec::new();
        for output in outputs {
            let Some(hit) = self.planner.names.find(output, parts) else { continue };
            let present = |a: &&&Attribute| self.input.iter().any(|i| i.column == a.column);
            let there: Vec<_> = hit.attributes.iter().filter(present).collect();
            if there.len() > 1 {
                return Err(error::ambiguous(parts, &hit.attributes));
            }
            for attribute in there {
                if !found.iter().any(|(f, _)| f.column == attribute.column) {
                    let visible = self.input.iter().find(|i| i.column == attribute.column);
                    found.push((visible.unwrap_or(attribute).clone(), hit.parts_used));
                }
            }
        }
        match found.as_slice() {
            [] => Ok(None),
            [(attribute, used)] => {
                let mut typed = attribute.typed();
                typed.sql.clone_from(&parts[*used - 1]);
                Ok(Some(self.fields(typed, &parts[*used..])?))
            }
            _ => Err(SparkError::new(&error_class::AMBIGUOUS_COLUMN_REFERENCE).param("name", quote_name(parts))),
        }
    }

    fn lambda_parameter(&mut self, parts: &[String]) -> Result<Option<Typed>> {
        let names = self.planner.names;
        let found = self.planner.lambdas.iter().rev().find(|(name, _)| names.same(name, &parts[0]));
        let Some((_, attribute)) = found else { return Ok(None) };
        let mut typed = attribute.typed();
        typed.sql = LAMBDA_VARIABLE.to_owned();
        self.fields(typed, &parts[1..]).map(Some)
    }

    fn lateral_alias(&mut self, parts: &[String]) -> Result<Option<Typed>> {
        let names = self.planner.names;
        let found: Vec<_> = self.aliases.iter().filter(|(name, _)| names.same(name, &parts[0])).cloned().collect();
        match found.as_slice() {
            [] => Ok(None),
            [(name, typed)] => {
                let mut typed = typed.clone();
                typed.sql = match self.aliases_first {
                    true => name.clone(),
                    false => format!("lateralAliasReference({name})"),
                };
                self.fields(typed, &parts[1..]).map(Some)
            }
            several => Err(SparkError::new(&error_class::AMBIGUOUS_LATERAL_COLUMN_ALIAS)
                .param("name", quote_name(parts))
                .param("n", several.len().to_string())),
        }
    }

    /// A column of a query around this subquery.
    fn outer_column(&mut self, parts: &[String]) -> Result<Option<Typed>> {
        for scope in self.planner.outer.iter().rev() {
            let Some(hit) = self.planner.names.find(&scope.attributes, parts) else {
                match parameter_of(self.planner.names, &scope.parameters, parts) {
                    None => continue,
                    Some((typed, rest)) => {
                        let (typed, rest) = (outer_value(typed, &scope.beneath)?, rest.to_vec());
                        return self.fields(typed, &rest).map(Some);
                    }
                }
            };
            let [attribute] = hit.attributes.as_slice() else {
                return Err(error::ambiguous(parts, &hit.attributes));
            };
            let field = types_arrow::arrow_field(&attribute.column, &attribute.data_type, attribute.nullable);
            let mut typed = attribute.typed();
            typed.expr =
                DfExpr::OuterReferenceColumn(Arc::new(field), Column::new_unqualified(attribute.column.clone()));
            let shown: Vec<_> = attribute.qualifier.iter().chain([&attribute.name]).cloned().collect();
            typed.sql = format!("outer({})", dotted(&shown));
            let used = hit.parts_used;
            return self.fields(typed, &parts[used..]).map(Some);
        }
        Ok(None)
    }

    /// A parameter of the SQL function whose body this is.
    fn parameter(&mut self, parts: &[String]) -> Result<Option<Typed>> {
        let Some((typed, rest)) = parameter_of(self.planner.names, &self.parameters, parts) else { return Ok(None) };
        let typed = typed.clone();
        self.fields(typed, rest).map(Some)
    }

    /// `grouping__id`, as Hive calls it.
    fn grouping_column(&self, parts: &[String]) -> Option<Typed> {
        let [name] = parts else { return None };
        let (_, id) = self.groups.last().filter(|(_, a)| a.name == "spark_grouping_id")?;
        name.eq_ignore_ascii_case("grouping__id").then(|| Typed { sql: "grouping_id()".to_owned(), ..id.typed() })
    }

    /// `current_date` and its like, which need no parentheses: columns of the input come first, those of queries around
    /// and earlier items of the select list do not.
    fn bare_function(&mut self, name: &str) -> Result<Option<Typed>> {
        const BARE: [&str; 8] = [
            "current_date",
            "current_timestamp",
            "current_user",
            "user",
            "session_user",
            "current_time",
            "current_path",
            "localtimestamp",
        ];
        let lower = name.to_lowercase();
        if !BARE.contains(&lower.as_str()) {
            return Ok(None);
        }
        self.planner.apply(&lower, Vec::new()).map(Some)
    }

    /// Struct fields below a value.
    pub(super) fn fields(&mut self, value: Typed, rest: &[String]) -> Result<Typed> {
        rest.iter().try_fold(value, |value, field| {
            let key = firesteel_functions::literal::typed(&Literal::String(field.clone()), &self.planner.context)?;
            firesteel_functions::families::extract::build(&self.planner.context, value, key)
        })
    }
}

/// The parameter that a name means, `f.x` in function `f` too, and the parts that are left for struct fields.
fn parameter_of<'v, 'n>(
    names: crate::attribute::NameMatch,
    parameters: &'v [(String, Typed)],
    parts: &'n [String],
) -> Option<(&'v Typed, &'n [String])> {
    let find = |name: &str| parameters.iter().find(|(known, _)| names.same(known, name)).map(|(_, typed)| typed);
    let (first, rest) = parts.split_first()?;
    find(first).map(|typed| (typed, rest))
}

/// A value over the columns of an outer query, as a subquery sees it.
fn outer_value(typed: &Typed, columns: &[Attribute]) -> Result<Typed> {
    use datafusion::common::tree_node::{Transformed, TreeNode};
    let changed = typed.expr.clone().transform(|node| match node {
        DfExpr::Column(column) => {
            let attribute = columns.iter().find(|a| a.column == column.name);
            Ok(match attribute {
                Some(a) => {
                    let field = types_arrow::arrow_field(&a.column, &a.data_type, a.nullable);
                    Transformed::yes(DfExpr::OuterReferenceColumn(Arc::new(field), column))
                }
                None => Transformed::no(DfExpr::Column(column)),
            })
        }
        other => Ok(Transformed::no(other)),
    });
    Ok(Typed { expr: crate::planner::df(changed)?.data, ..typed.clone() })
}
