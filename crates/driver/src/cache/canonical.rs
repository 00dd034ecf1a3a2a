//! [`Canonical`]: resolved plans compared whoever numbered their columns.

use std::any::Any;
use std::collections::HashMap;
use std::mem::{Discriminant, discriminant};
use std::sync::Arc;

use datafusion::catalog::TableProvider;
use datafusion::common::DataFusionError;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::datasource::source_as_provider;
use datafusion::logical_expr::{Expr, LogicalPlan};
use firesteel_engine::exec::RangeTable;
use firesteel_sources::FileTable;
use firesteel_spec::types::FILE_METADATA;

use super::scan::CachedTable;

/// A plan without the numbers of its columns.
///
/// Guarantees: plans that are the same have the same rows. Plans that have the same rows need not be the same: those
/// with nodes or sources that cannot be looked into are not even compared.
#[derive(Debug)]
pub(crate) struct Canonical {
    /// Kinds of the nodes and how many inputs each has, top down.
    nodes: Vec<(Discriminant<LogicalPlan>, usize)>,
    /// What the nodes say, in the same order.
    text: String,
    /// Their expressions: the text of a function does not tell all of it.
    expressions: Vec<Expr>,
    sources: Vec<Arc<dyn TableProvider>>,
    numbers: Numbers,
}

/// Whether two resolved plans have the same rows, as far as that can be told.
pub(crate) fn is_same_plan(left: &LogicalPlan, right: &LogicalPlan) -> bool {
    Canonical::of(left).zip(Canonical::of(right)).is_some_and(|(left, right)| left.is_same(&right))
}

/// Columns are called `name#12`; here they are numbered as they come.
#[derive(Debug, Default)]
struct Numbers(HashMap<String, usize>);

impl Canonical {
    /// None for plans that are not compared.
    pub(crate) fn of(plan: &LogicalPlan) -> Option<Self> {
        let mut canonical = Self {
            nodes: Vec::new(),
            text: String::new(),
            expressions: Vec::new(),
            sources: Vec::new(),
            numbers: Numbers::default(),
        };
        let mut is_known = true;
        let looked = plan.apply(|node| {
            is_known &= canonical.add(node)?;
            Ok(if is_known { TreeNodeRecursion::Continue } else { TreeNodeRecursion::Stop })
        });
        (looked.is_ok() && is_known).then_some(canonical)
    }

    /// Whether a plan has the same kinds of nodes: told at the first difference, which most plans have soon.
    pub(crate) fn has_nodes_of(&self, plan: &LogicalPlan) -> bool {
        let (mut nodes, mut is_same) = (self.nodes.iter(), true);
        let looked = plan.apply(|node| {
            is_same = hides_file_metadata(node) || nodes.next() == Some(&kind_of(node));
            Ok(if is_same { TreeNodeRecursion::Continue } else { TreeNodeRecursion::Stop })
        });
        looked.is_ok() && is_same && nodes.next().is_none()
    }

    /// Whether both plans have the same rows.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.nodes == other.nodes
            && self.text == other.text
            && self.expressions == other.expressions
            && self.sources.len() == other.sources.len()
            && self.sources.iter().zip(&other.sources).all(|(left, right)| same_source(left, right))
    }

    /// A column's name without its number.
    pub(crate) fn column(&self, name: &str) -> String {
        self.numbers.known(name)
    }

    fn add(&mut self, node: &LogicalPlan) -> Result<bool, DataFusionError> {
        if matches!(node, LogicalPlan::Extension(_)) {
            return Ok(false);
        }
        if hides_file_metadata(node) {
            return Ok(true);
        }
        if let LogicalPlan::TableScan(scan) = node {
            self.sources.push(source_as_provider(&scan.source)?);
        }
        self.nodes.push(kind_of(node));
        self.text.push_str(&self.numbers.renumbered(&node.display().to_string()));
        self.text.push('\n');
        for expression in node.expressions() {
            let numbers = &mut self.numbers;
            let renamed = expression.transform_up(|expr| {
                Ok(match expr {
                    Expr::Column(mut column) => {
                        column.name = numbers.renumbered(&column.name);
                        Transformed::yes(Expr::Column(column))
                    }
                    Expr::Alias(mut alias) => {
                        alias.name = numbers.renumbered(&alias.name);
                        Transformed::yes(Expr::Alias(alias))
                    }
                    other => Transformed::no(other),
                })
            });
            self.expressions.push(renamed.data()?);
        }
        Ok(true)
    }
}

fn kind_of(node: &LogicalPlan) -> (Discriminant<LogicalPlan>, usize) {
    (discriminant(node), node.inputs().len())
}

/// Whether a node only takes away the hidden column of files, as the end of a view or of a query does.
fn hides_file_metadata(node: &LogicalPlan) -> bool {
    let LogicalPlan::Projection(projection) = node else { return false };
    let is_metadata = |name: &str| name.split('#').next() == Some(FILE_METADATA);
    let fields = projection.input.schema().fields();
    let kept = fields.iter().map(|field| field.name()).filter(|name| !is_metadata(name));
    let passed = projection.expr.iter().map(|expr| match expr {
        Expr::Column(column) => Some(&column.name),
        _ => None,
    });
    projection.expr.len() < fields.len() && passed.eq(kept.map(Some))
}

impl Numbers {
    /// New numbers are numbered on.
    fn renumbered(&mut self, text: &str) -> String {
        for digits in numbers_in(text) {
            let next = self.0.len();
            self.0.entry(digits.to_owned()).or_insert(next);
        }
        self.known(text)
    }

    fn known(&self, text: &str) -> String {
        let mut pieces = text.split('#');
        let mut result = pieces.next().unwrap_or_default().to_owned();
        for piece in pieces {
            let digits = leading_digits(piece);
            result.push('#');
            match self.0.get(digits) {
                Some(number) => result.push_str(&number.to_string()),
                None => result.push_str(digits),
            }
            result.push_str(&piece[digits.len()..]);
        }
        result
    }
}

fn numbers_in(text: &str) -> impl Iterator<Item = &str> {
    text.split('#').skip(1).map(leading_digits).filter(|digits| !digits.is_empty())
}

fn leading_digits(text: &str) -> &str {
    let end = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    &text[..end]
}

/// Whether two sources give the same rows, as far as that can be told.
fn same_source(left: &Arc<dyn TableProvider>, right: &Arc<dyn TableProvider>) -> bool {
    let (left, right) = (left.as_ref() as &dyn Any, right.as_ref() as &dyn Any);
    if let (Some(left), Some(right)) = (left.downcast_ref::<FileTable>(), right.downcast_ref::<FileTable>()) {
        return left.is_same(right);
    }
    if let (Some(left), Some(right)) = (left.downcast_ref::<RangeTable>(), right.downcast_ref::<RangeTable>()) {
        return left == right;
    }
    match (left.downcast_ref::<CachedTable>(), right.downcast_ref::<CachedTable>()) {
        (Some(left), Some(right)) => left.is_same(right),
        _ => false,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use datafusion::datasource::provider_as_source;
    use datafusion::logical_expr::{LogicalPlanBuilder, col, lit};
    use datafusion::prelude::ident;

    use super::*;

    fn canonical(end: i64, least: i64, number: usize) -> Canonical {
        Canonical::of(&plan(end, least, number)).unwrap()
    }

    fn plan(end: i64, least: i64, number: usize) -> LogicalPlan {
        let range = provider_as_source(Arc::new(RangeTable::new(0, end, 1, 2)));
        let name = format!("id#{number}");
        let plan = LogicalPlanBuilder::scan("range", range, None).unwrap();
        let plan = plan.project([col("id").alias(&name)]).unwrap().filter(ident(&name).gt(lit(least))).unwrap();
        plan.build().unwrap()
    }

    #[test]
    fn plans_are_told_apart_by_their_nodes_first() {
        let (own, other) = (canonical(10, 3, 1), plan(11, 4, 2));
        assert!(own.has_nodes_of(&other));
        let longer = LogicalPlanBuilder::from(other.clone()).limit(0, Some(1)).unwrap().build().unwrap();
        assert!(!own.has_nodes_of(&longer) && !own.has_nodes_of(other.inputs()[0]));
    }

    #[test]
    fn numbers_do_not_matter_and_all_else_does() {
        assert!(canonical(10, 3, 1).is_same(&canonical(10, 3, 77)));
        assert_eq!(canonical(10, 3, 77).column("id#77"), "id#0");
        assert!(!canonical(10, 3, 1).is_same(&canonical(10, 4, 1)));
        assert!(!canonical(10, 3, 1).is_same(&canonical(11, 3, 1)));
    }

    #[test]
    fn numbers_are_found_in_names() {
        let mut numbers = Numbers::default();
        assert_eq!(numbers.renumbered("a#7, b#40 + a#7, c#, #x"), "a#0, b#1 + a#0, c#, #x");
    }
}
