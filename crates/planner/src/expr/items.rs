//! Select lists: items with their names, stars, several names for one generator.

use datafusion::logical_expr::Expr as DfExpr;
use firesteel_functions::call::Typed;
use firesteel_functions::registry::{self, Build};
use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::types::quote_name;
use firesteel_spec::{DataType, Expr, ExprNode};

use super::Resolver;
use super::call::builtin_name;
use crate::attribute::Attribute;
use crate::error;

/// An item of a select list.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    /// Its value.
    pub(crate) typed: Typed,
    /// Its name.
    pub(crate) name: String,
    /// The column it passes on unchanged, whose identity it keeps.
    pub(crate) passes: Option<Attribute>,
    /// JSON text of its metadata.
    pub(crate) metadata: Option<String>,
}

impl Item {
    /// A column passed on.
    pub(crate) fn pass(attribute: &Attribute) -> Self {
        Self {
            typed: attribute.typed(),
            name: attribute.name.clone(),
            passes: Some(attribute.clone()),
            metadata: attribute.metadata.clone(),
        }
    }

    /// A value under a name.
    pub(crate) fn named(typed: Typed, name: impl Into<String>) -> Self {
        Self { typed, name: name.into(), passes: None, metadata: None }
    }
}

impl Resolver<'_, '_> {
    /// Resolves a select list.
    pub(crate) fn items(&mut self, exprs: &[Expr]) -> Result<Vec<Item>> {
        let mut items = Vec::with_capacity(exprs.len());
        for expr in exprs {
            let resolved = self.item(expr).map_err(|failure| self.planner.locate(failure, expr))?;
            for item in &resolved {
                if item.passes.is_none() {
                    self.aliases.push((item.name.clone(), item.typed.clone()));
                }
            }
            items.extend(resolved);
        }
        Ok(items)
    }

    fn item(&mut self, expr: &Expr) -> Result<Vec<Item>> {
        match expr.node.as_ref() {
            ExprNode::Star { .. } | ExprNode::Regex { .. } => self.expand(expr),
            ExprNode::Alias { child, names, metadata } => self.aliased(child, names, metadata.as_ref()),
            ExprNode::SqlText(text) => self.item(&firesteel_sql::parse_expression(text)?),
            _ => {
                if let Some(items) = self.generated(expr, &[])? {
                    return Ok(items);
                }
                let typed = self.value(expr)?;
                self.refuse_generator_in(&typed.sql)?;
                let passes = self.passed(&typed);
                let name = match (&passes, expr.node.as_ref()) {
                    (Some(attribute), ExprNode::Attribute { is_metadata: true, .. }) => attribute.name.clone(),
                    _ => item_name(expr, &typed),
                };
                let metadata = passes.as_ref().and_then(|p| p.metadata.clone());
                Ok(vec![Item { typed, name, passes, metadata }])
            }
        }
    }

    fn aliased(&mut self, child: &Expr, names: &[String], metadata: Option<&String>) -> Result<Vec<Item>> {
        if let Some(items) = self.generated(child, names)? {
            return Ok(items);
        }
        let [name] = names else {
            return Err(SparkError::new(&error_class::MULTI_ALIAS_WITHOUT_GENERATOR)
                .param("names", quote_name(names))
                .param("expr", "expression"));
        };
        let typed = self.value(child)?;
        self.refuse_generator_in(&typed.sql)?;
        let inherited = self.passed(&typed).and_then(|p| p.metadata);
        Ok(vec![Item { metadata: metadata.cloned().or(inherited), ..Item::named(typed, name) }])
    }

    /// The items of a generator at the top of an item, or `None` if it is none.
    fn generated(&mut self, expr: &Expr, names: &[String]) -> Result<Option<Vec<Item>>> {
        let ExprNode::Function(call) = expr.node.as_ref() else { return Ok(None) };
        let Some(definition) = builtin_name(&call.name).and_then(|n| registry::lookup(&n)) else { return Ok(None) };
        if !matches!(definition.build, Build::Generator(_)) {
            return Ok(None);
        }
        self.generator(definition, call, names)?;
        let columns: Vec<_> =
            self.aside.generators.iter().flatten().next_back().map(|g| g.columns.clone()).unwrap_or_default();
        // Later items may name these columns.
        if self.names_generated {
            self.aliases.extend(columns.iter().map(|column| (column.name.clone(), column.typed())));
        }
        Ok(Some(columns.iter().map(Item::pass).collect()))
    }

    /// The attribute that a value passes on unchanged.
    fn passed(&self, typed: &Typed) -> Option<Attribute> {
        let DfExpr::Column(column) = &typed.expr else { return None };
        self.input.iter().find(|a| a.column == column.name && a.data_type == typed.data_type).cloned()
    }

    /// Expands `*`, `t.*`, `s.*` of a struct, and a column regex.
    pub(super) fn expand(&mut self, expr: &Expr) -> Result<Vec<Item>> {
        match expr.node.as_ref() {
            ExprNode::Star { target, plan_id, except, replace } => {
                let mut items = self.star(target, *plan_id)?;
                for name in except {
                    self.leave_out(&mut items, name)?;
                }
                for (name, value) in replace {
                    let typed = self.value(value)?;
                    let names = self.planner.names;
                    for item in items.iter_mut().filter(|item| names.same(&item.name, name)) {
                        *item = Item::named(typed.clone(), item.name.clone());
                    }
                }
                Ok(items)
            }
            ExprNode::Regex { pattern, target, .. } => self.regex(pattern, target),
            _ => Err(SparkError::internal("only stars and patterns expand")),
        }
    }

    /// EXCEPT: a column, or a field of a struct.
    fn leave_out(&mut self, items: &mut Vec<Item>, name: &[String]) -> Result<()> {
        let names = self.planner.names;
        let before = items.len();
        let is_it = |item: &Item| match name {
            [only] => names.same(&item.name, only),
            [qualifier @ .., last] => {
                let of = |a: &Attribute| !a.qualifier.is_empty() && names.qualifier_ends_with(a, qualifier);
                names.same(&item.name, last) && item.passes.as_ref().is_some_and(of)
            }
            [] => false,
        };
        items.retain(|item| !is_it(item));
        if items.len() < before {
            return Ok(());
        }
        for used in 1..name.len() {
            let found = items.iter_mut().find(|item| names.same(&item.name, &name[used - 1]));
            if let Some(item) = found.filter(|item| matches!(item.typed.data_type, DataType::Struct(_))) {
                let path: Vec<_> = name[used..].iter().map(|part| quote_name(std::slice::from_ref(part))).collect();
                let child = item.typed.clone();
                let context = &self.planner.context;
                let left = firesteel_functions::families::structs::drop_field(context, child, &path.join("."))?;
                *item = Item::named(left, item.name.clone());
                return Ok(());
            }
        }
        Err(error::unresolved_column(name, self.input))
    }

    fn star(&mut self, target: &[String], plan_id: Option<i64>) -> Result<Vec<Item>> {
        if let Some(outputs) = plan_id.and_then(|id| self.planner.plan_outputs.get(&id)) {
            let of_plan = |a: &&Attribute| !a.is_hidden && outputs.iter().flatten().any(|o| o.column == a.column);
            let items: Vec<_> = self.input.iter().filter(of_plan).map(Item::pass).collect();
            if !items.is_empty() {
                return Ok(items);
            }
        }
        if target.is_empty() {
            return Ok(self.input.iter().filter(|a| !a.is_hidden).map(Item::pass).collect());
        }
        let names = self.planner.names;
        let of_target = |a: &&Attribute| names.qualifier_ends_with(a, target);
        let (hidden, shown): (Vec<_>, Vec<_>) = self.input.iter().filter(of_target).partition(|a| a.is_hidden);
        // The keys of a USING join come first, as they do in the join.
        let keys = hidden.into_iter().filter(|a| is_join_key(a));
        let items: Vec<_> = keys.chain(shown).map(Item::pass).collect();
        if !items.is_empty() {
            return Ok(items);
        }
        let value = match self.name_of_struct(target) {
            Ok(value) => value,
            Err(failure) => return self.outer_star(target)?.ok_or(failure),
        };
        let DataType::Struct(fields) = value.data_type.clone() else {
            return Err(cannot_expand(target));
        };
        let mut items = Vec::with_capacity(fields.len());
        for field in fields {
            let typed = self.fields(value.clone(), std::slice::from_ref(&field.name))?;
            items.push(Item::named(typed, field.name));
        }
        Ok(items)
    }

    /// `t.*` of a table in a query around this one.
    fn outer_star(&mut self, target: &[String]) -> Result<Option<Vec<Item>>> {
        let names = self.planner.names;
        let is_shown = |a: &&Attribute| !a.is_hidden && names.qualifier_ends_with(a, target);
        let columns = self.planner.outer.iter().rev().find_map(|scope| {
            let found: Vec<_> = scope.attributes.iter().filter(is_shown).map(|a| a.name.clone()).collect();
            (!found.is_empty()).then_some(found)
        });
        let Some(columns) = columns else { return Ok(None) };
        let mut items = Vec::with_capacity(columns.len());
        for column in columns {
            let parts = [target, std::slice::from_ref(&column)].concat();
            items.push(Item::named(self.name(&parts, None)?, column));
        }
        Ok(Some(items))
    }

    fn name_of_struct(&mut self, target: &[String]) -> Result<Typed> {
        self.name(target, None).map_err(|_| cannot_expand(target))
    }

    fn regex(&mut self, pattern: &str, target: &[String]) -> Result<Vec<Item>> {
        let pattern = pattern.trim_matches('`');
        let names = self.planner.names;
        let flags = if self.planner.names.case_sensitive { "" } else { "(?i)" };
        let compiled = fancy_regex::Regex::new(&format!("^{flags}(?:{pattern})$")).map_err(|source| {
            SparkError::new(&error_class::INVALID_PARAMETER_VALUE_PATTERN)
                .param("parameter", "`regexp`")
                .param("functionName", "`colRegex`")
                .param("value", format!("'{pattern}'"))
                .source(source)
        })?;
        let is_one = |a: &&Attribute| {
            !a.is_hidden && names.qualifier_ends_with(a, target) && compiled.is_match(&a.name).unwrap_or(false)
        };
        Ok(self.input.iter().filter(is_one).map(Item::pass).collect())
    }
}

fn is_join_key(attribute: &Attribute) -> bool {
    !attribute.qualifier.is_empty() && !attribute.is_file_metadata()
}

fn cannot_expand(target: &[String]) -> SparkError {
    SparkError::new(&error_class::CANNOT_RESOLVE_STAR_EXPAND)
        .param("targetString", quote_name(target))
        .param("columns", "")
}

fn is_call_of(name: &str, typed: &Typed) -> bool {
    let (start, rest) = typed.sql.split_at_checked(name.len()).unwrap_or_default();
    start.eq_ignore_ascii_case(name) && rest.starts_with('(')
}

/// The name of an item without an alias: a struct field's own name, else how Spark prints the expression.
fn item_name(expr: &Expr, typed: &Typed) -> String {
    match expr.node.as_ref() {
        // `current_date` is no column but a call.
        ExprNode::Attribute { parts, .. } if matches!(parts.as_slice(), [one] if is_call_of(one, typed)) => {
            typed.sql.clone()
        }
        ExprNode::Attribute { parts, .. } => parts.last().cloned().unwrap_or_default(),
        // What is cast keeps its name, if it has one.
        ExprNode::Cast { child, .. } => match child.node.as_ref() {
            ExprNode::Attribute { .. } | ExprNode::Alias { .. } => item_name(child, typed),
            _ => typed.sql.clone(),
        },
        ExprNode::Alias { names, .. } => names.join(","),
        ExprNode::Extract { key, .. } => match key.node.as_ref() {
            ExprNode::Literal(firesteel_spec::Literal::String(field)) if typed.sql.ends_with(&format!(".{field}")) => {
                field.clone()
            }
            _ => typed.sql.clone(),
        },
        _ => typed.sql.clone(),
    }
}
