//! GROUP BY, HAVING, QUALIFY.

use std::sync::Arc;

use datafusion::logical_expr::Expr as DfExpr;
use firesteel_functions::call::Typed;
use firesteel_model::{Result, SparkError, conf, error_class};
use firesteel_spec::relation::{AggregateStyle, Grouping};
use firesteel_spec::{DataType, Expr, ExprNode, Literal, Relation, RelationNode};

use super::below::Prefers;
use super::filter_plan;
use super::grouping::{GroupingSets, grouping_sets};
use super::select::window_plan;
use super::time_windows::TimeWindows;
use crate::attribute::Attribute;
use crate::expr::{Aside, Item, Resolver};
use crate::planner::Planner;
use crate::resolved::Resolved;

impl Planner<'_> {
    /// GROUP BY with its select list.
    pub(super) fn aggregate(
        &mut self,
        input: &Relation,
        grouping: &Grouping,
        items: &[Expr],
        style: AggregateStyle,
    ) -> Result<Resolved> {
        let input = self.relation(input)?;
        self.aggregate_over(input, grouping, items, style)
    }

    /// The same over a resolved input.
    pub(crate) fn aggregate_over(
        &mut self,
        input: Resolved,
        grouping: &Grouping,
        items: &[Expr],
        style: AggregateStyle,
    ) -> Result<Resolved> {
        let GroupingSets { keys, sets } = match grouping {
            Grouping::Expressions(keys) => GroupingSets { keys: keys.clone(), sets: None },
            Grouping::Elements(elements) => grouping_sets(elements),
            Grouping::All => GroupingSets { keys: self.group_by_all(&input, items)?, sets: None },
        };
        let mut resolved_keys = Vec::new();
        // Which of the resolved keys each key is: two ways to write it are one.
        let mut places = Vec::new();
        let mut key_items = Vec::new();
        let mut time_windows = TimeWindows::default();
        for key in &keys {
            let item = self.group_key(&input, key, items, style, &mut time_windows)?;
            let attribute = match &item.passes {
                Some(passed) => passed.clone(),
                None => self.attribute(&item.name, &item.typed),
            };
            let known = resolved_keys.iter().position(|(e, _): &(DfExpr, Attribute)| *e == item.typed.expr);
            places.push(known.unwrap_or(resolved_keys.len()));
            if known.is_none() {
                resolved_keys.push((item.typed.expr.clone(), attribute.clone()));
            }
            key_items.push(Item { passes: Some(attribute), ..item });
        }
        // The select list may name the column of a window of time that is grouped by.
        let input = self.in_time_windows_by(input, &mut time_windows, &resolved_keys)?;
        let sets = sets.map(|sets| sets.into_iter().map(|set| distinct_places(&set, &places)).collect());
        let grouped = self.grouped(resolved_keys, sets);
        let aside = Aside { time_windows: Some(time_windows), ..Aside::everything() };
        let mut resolver = Resolver::new(self, &input.output).with_aside(aside);
        resolver.groups = grouped.keys.clone();
        resolver.names_generated = false;
        if let Some(id) = &grouped.grouping_id {
            resolver.groups.push((id.expr(), id.clone()));
        }
        let mut all = Vec::new();
        if style != AggregateStyle::ItemsOnly {
            all.extend(key_items);
        }
        all.extend(resolver.items(items)?);
        let mut aside = std::mem::take(&mut resolver.aside);
        let input = self.in_time_windows(input, &mut aside.time_windows.take().unwrap_or_default())?;
        self.select_grouped(input, grouped, all, aside)
    }

    /// A key: an expression over the input, else an item of the select list by position or alias.
    fn group_key(
        &mut self,
        input: &Resolved,
        key: &Expr,
        items: &[Expr],
        style: AggregateStyle,
        time_windows: &mut TimeWindows,
    ) -> Result<Item> {
        if let (AggregateStyle::GroupingFirstByPlace, ExprNode::Literal(Literal::Integer(place))) =
            (style, key.node.as_ref())
        {
            let column = usize::try_from(*place - 1).ok().and_then(|index| input.visible().nth(index));
            return column.map(Item::pass).ok_or_else(|| {
                let failure = SparkError::new(&error_class::GROUP_BY_POS_OUT_OF_RANGE)
                    .param("index", place.to_string())
                    .param("size", input.visible().count().to_string());
                self.locate(failure, key)
            });
        }
        // A constant that nobody wrote here, but GROUP BY ALL, is no position.
        if style == AggregateStyle::ItemsOnly
            && self.is_on(&conf::GROUP_BY_ORDINAL)
            && key.span.is_some()
            && let ExprNode::Literal(Literal::Integer(position)) = key.node.as_ref()
        {
            let index = usize::try_from(*position).ok().and_then(|p| p.checked_sub(1));
            let chosen = index.and_then(|i| items.get(i)).ok_or_else(|| {
                let failure = SparkError::new(&error_class::GROUP_BY_POS_OUT_OF_RANGE)
                    .param("index", position.to_string())
                    .param("size", items.len().to_string());
                self.locate(failure, key)
            })?;
            return self.plain_key(input, unaliased(chosen), Some(*position), time_windows);
        }
        match self.plain_key(input, key, None, time_windows) {
            Ok(item) => Ok(item),
            Err(failure) => match aliased_item(self, key, items) {
                Some(chosen) => self.plain_key(input, &chosen, None, time_windows),
                None => Err(failure),
            },
        }
    }

    fn plain_key(
        &mut self,
        input: &Resolved,
        key: &Expr,
        position: Option<i32>,
        time_windows: &mut TimeWindows,
    ) -> Result<Item> {
        let aside = Aside { time_windows: Some(time_windows.clone()), ..Aside::aggregates() };
        let mut resolver = Resolver::new(self, &input.output).with_aside(aside);
        let mut items = resolver.items(std::slice::from_ref(key))?;
        *time_windows = resolver.aside.time_windows.take().unwrap_or_default();
        let has_aggregate = resolver.aside.aggregates.as_ref().is_some_and(|a| !a.is_empty());
        let (Some(item), true) = (items.pop(), items.is_empty()) else {
            return Err(SparkError::unsupported("several columns as one grouping key"));
        };
        if has_aggregate {
            let failure = match position {
                Some(index) => SparkError::new(&error_class::GROUP_BY_POS_AGGREGATE)
                    .param("index", index.to_string())
                    .param("aggExpr", item.typed.sql.clone()),
                None => SparkError::new(&error_class::GROUP_BY_AGGREGATE).param("sqlExpr", item.typed.sql.clone()),
            };
            return Err(self.locate(failure, key));
        }
        if is_unordered(&item.typed.data_type) {
            return Err(SparkError::new(&error_class::GROUP_EXPRESSION_TYPE_IS_NOT_ORDERABLE)
                .param("sqlExpr", format!("\"{}\"", item.typed.sql))
                .param("dataType", format!("\"{}\"", item.typed.data_type.sql())));
        }
        Ok(item)
    }

    /// GROUP BY ALL: the items without aggregates.
    fn group_by_all(&mut self, input: &Resolved, items: &[Expr]) -> Result<Vec<Expr>> {
        let mut keys = Vec::new();
        let mut aliases = Vec::new();
        for item in items {
            let mut resolver = Resolver::new(self, &input.output).with_aside(Aside::everything());
            resolver.aliases = aliases;
            let found = resolver.items(std::slice::from_ref(item))?;
            aliases = std::mem::take(&mut resolver.aliases);
            if resolver.aside.aggregates.as_ref().is_some_and(|a| !a.is_empty()) {
                continue;
            }
            match item.node.as_ref() {
                ExprNode::Star { .. } | ExprNode::Regex { .. } => {
                    keys.extend(found.iter().filter_map(|item| item.passes.as_ref()).map(by_column));
                }
                _ => {
                    let key = unaliased(item).clone();
                    let is_constant = matches!(key.node.as_ref(), ExprNode::Literal(_));
                    keys.push(Expr { span: key.span.filter(|_| !is_constant), ..key });
                }
            }
        }
        Ok(keys)
    }

    /// HAVING: a filter that may use aggregates and grouping keys that were not selected.
    pub(super) fn having(&mut self, input: &Relation, condition: &Expr) -> Result<Resolved> {
        if let RelationNode::Project { input, items } = input.node.as_ref() {
            // HAVING without GROUP BY makes the select list one group.
            let grouping = Grouping::Expressions(Vec::new());
            let resolved = self.aggregate(input, &grouping, items, AggregateStyle::ItemsOnly)?;
            return self.filter_over(resolved, condition);
        }
        let resolved = self.relation(input)?;
        self.filter_over(resolved, condition)
    }

    fn filter_over(&mut self, input: Resolved, condition: &Expr) -> Result<Resolved> {
        if self.hides_keys(&input) {
            // A grouping key is meant rather than an item of the same name.
            let nothing = SparkError::internal("nothing lies below");
            let (prefers, condition) = (Prefers::Keys, std::slice::from_ref(condition));
            if let Ok(Some((extended, values))) = self.extend_below(&input, condition, &nothing, prefers) {
                return self.filtered_below(&input, extended, values, nothing);
            }
        }
        let first = Resolver::new(self, &input.output).condition(condition);
        match first {
            Ok(condition) => Ok(Resolved {
                plan: filter_plan(input.plan.clone(), condition.expr.clone())?,
                below: input.below.as_deref().map(|below| Arc::new(below.filtered(condition.expr))),
                output: input.output,
            }),
            Err(failure) => self.filter_below(input, condition, failure),
        }
    }

    /// A filter that needs what the select list below projected away.
    pub(super) fn filter_below(&mut self, input: Resolved, condition: &Expr, failure: SparkError) -> Result<Resolved> {
        let condition = std::slice::from_ref(condition);
        match self.extend_below(&input, condition, &failure, Prefers::Items)? {
            Some((extended, values)) => self.filtered_below(&input, extended, values, failure),
            None => Err(failure),
        }
    }

    /// Whether an item of the select list has the name of a grouping key that it is not.
    fn hides_keys(&self, input: &Resolved) -> bool {
        let Some(aggregate) = input.below.as_ref().and_then(|below| below.aggregate.as_ref()) else { return false };
        let hides = |item: &Attribute, key: &Attribute| {
            !item.is_hidden && item.column != key.column && self.names.same(&item.name, &key.name)
        };
        aggregate.groups.iter().any(|(_, key)| input.output.iter().any(|item| hides(item, key)))
    }

    fn filtered_below(
        &mut self,
        input: &Resolved,
        extended: Resolved,
        mut values: Vec<Typed>,
        failure: SparkError,
    ) -> Result<Resolved> {
        let Some(condition) = values.pop() else { return Err(failure) };
        if !condition.data_type.is_integral() && condition.data_type != DataType::Boolean {
            return Err(failure);
        }
        let condition = self.cast_to(condition, &DataType::Boolean)?;
        let plan = filter_plan(extended.plan, condition.expr.clone())?;
        let columns = input.output.iter().map(Attribute::expr).collect();
        let projected = self.project_exprs(Resolved::new(plan, input.output.clone()), columns)?;
        let below = extended.below.as_deref().map(|below| Arc::new(below.filtered(condition.expr)));
        Ok(Resolved { below, ..projected })
    }

    /// QUALIFY: a filter over window functions.
    pub(super) fn qualify(&mut self, input: &Relation, condition: &Expr) -> Result<Resolved> {
        let input = self.relation(input)?;
        let aside = Aside { windows: Some(Vec::new()), ..Aside::default() };
        let mut resolver = Resolver::new(self, &input.output).with_aside(aside);
        let condition = resolver.condition(condition)?;
        let windows = std::mem::take(&mut resolver.aside.windows).unwrap_or_default();
        let plan = filter_plan(window_plan(input.plan, windows)?, condition.expr)?;
        let columns = input.output.iter().map(Attribute::expr).collect();
        self.project_exprs(Resolved::new(plan, input.output), columns)
    }
}

impl Resolver<'_, '_> {
    /// `grouping(key)` and `grouping_id(..)`.
    pub(crate) fn grouping(&mut self, name: &str, arguments: &[Expr]) -> Result<Typed> {
        let Some((_, id)) = self.groups.last().filter(|(_, a)| a.name == "spark_grouping_id").cloned() else {
            return Err(SparkError::new(&error_class::UNSUPPORTED_GROUPING_EXPRESSION));
        };
        let keys: Vec<(DfExpr, Attribute)> = self.groups[..self.groups.len() - 1].to_vec();
        let mut places = Vec::new();
        let mut texts = Vec::new();
        for argument in arguments {
            let typed = self.value(argument)?;
            let is_key = |(key, column): &(DfExpr, Attribute)| *key == typed.expr || column.expr() == typed.expr;
            let place = keys.iter().position(is_key).ok_or_else(|| {
                SparkError::new(&error_class::GROUPING_COLUMN_MISMATCH)
                    .param("grouping", format!("\"{}\"", typed.sql))
                    .param("groupingColumns", String::new())
            })?;
            texts.push(typed.sql);
            places.push(keys.len() - 1 - place);
        }
        let sql = format!("{name}({})", texts.join(", "));
        let bit = |place: usize| {
            let mask = datafusion::logical_expr::lit(1i64 << place);
            let set =
                datafusion::logical_expr::bitwise_and(id.expr(), mask).not_eq(datafusion::logical_expr::lit(0i64));
            datafusion::logical_expr::when(set, datafusion::logical_expr::lit(1i64))
                .otherwise(datafusion::logical_expr::lit(0i64))
        };
        if name == "grouping" {
            let expr = crate::planner::df(bit(*places.first().unwrap_or(&0)))?;
            let expr = datafusion::logical_expr::cast(expr, arrow::datatypes::DataType::Int8);
            return Ok(Typed { expr, data_type: DataType::Byte, nullable: false, sql });
        }
        if places.is_empty() || places.iter().rev().copied().eq(0..keys.len()) {
            return Ok(Typed { expr: id.expr(), data_type: DataType::Long, nullable: false, sql });
        }
        let mut sum = datafusion::logical_expr::lit(0i64);
        for (position, place) in places.iter().rev().enumerate() {
            sum = sum + crate::planner::df(bit(*place))? * datafusion::logical_expr::lit(1i64 << position);
        }
        Ok(Typed { expr: sum, data_type: DataType::Long, nullable: false, sql })
    }
}

/// Types whose values cannot be grouped.
fn is_unordered(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Map(..) | DataType::Variant | DataType::Geometry(_) | DataType::Geography(_))
}

/// The places of a set's keys, each once.
fn distinct_places(set: &[usize], places: &[usize]) -> Vec<usize> {
    let mut found: Vec<usize> = Vec::new();
    for place in set.iter().filter_map(|key| places.get(*key)) {
        if !found.contains(place) {
            found.push(*place);
        }
    }
    found
}

/// A column by its internal name.
fn by_column(attribute: &Attribute) -> Expr {
    Expr::new(ExprNode::Attribute { parts: vec![attribute.column.clone()], plan_id: None, is_metadata: true })
}

fn unaliased(expr: &Expr) -> &Expr {
    match expr.node.as_ref() {
        ExprNode::Alias { child, .. } => child,
        _ => expr,
    }
}

/// The item whose alias the key names, unless the session wants none to be found.
fn aliased_item(planner: &Planner<'_>, key: &Expr, items: &[Expr]) -> Option<Expr> {
    if !planner.is_on(&conf::GROUP_BY_ALIASES) {
        return None;
    }
    let ExprNode::Attribute { parts, .. } = key.node.as_ref() else { return None };
    let [wanted] = parts.as_slice() else { return None };
    items.iter().find_map(|item| match item.node.as_ref() {
        ExprNode::Alias { child, names, .. } => {
            let [name] = names.as_slice() else { return None };
            planner.names.same(name, wanted).then(|| child.clone())
        }
        _ => None,
    })
}
