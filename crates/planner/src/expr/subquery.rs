//! Subqueries: one value, EXISTS, IN.

use std::sync::Arc;

use datafusion::common::Spans;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::expr::{Exists, InSubquery, ScalarFunction};
use datafusion::logical_expr::{Expr as DfExpr, Subquery};
use firesteel_functions::call::Typed;
use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::expr::SubqueryKind;
use firesteel_spec::{DataType, Expr, Relation};

use super::Resolver;
use crate::attribute::Attribute;
use crate::planner::OuterScope;
use crate::resolved::Resolved;

impl Resolver<'_, '_> {
    /// Resolves a query inside this one, whose columns it may use.
    fn inner(&mut self, query: &Relation) -> Result<Resolved> {
        let scope = self.outer_scope();
        self.planner.outer.push(scope);
        let resolved = self.planner.relation(query);
        self.planner.outer.pop();
        let resolved = resolved?;
        let columns = resolved.visible().map(crate::attribute::Attribute::expr).collect();
        self.planner.project_exprs(resolved, columns)
    }

    /// What this query gives to queries inside it.
    fn outer_scope(&self) -> OuterScope {
        OuterScope {
            attributes: self.input.to_vec(),
            parameters: self.parameters.clone(),
            beneath: self.parameter_columns.clone(),
        }
    }

    pub(super) fn scalar_subquery(&mut self, query: &Relation) -> Result<Typed> {
        let inner = self.inner(query)?;
        let columns: Vec<_> = inner.visible().cloned().collect();
        let [column] = columns.as_slice() else {
            return Err(SparkError::new(
                &error_class::INVALID_SUBQUERY_EXPRESSION_SCALAR_SUBQUERY_RETURN_MORE_THAN_ONE_OUTPUT_COLUMN,
            )
            .param("number", columns.len().to_string()));
        };
        let sql = format!("scalarsubquery({})", self.outer_names(&inner));
        let expr = DfExpr::ScalarSubquery(subquery(&inner));
        Ok(Typed { expr, data_type: column.data_type.clone(), nullable: true, sql })
    }

    pub(super) fn exists(&mut self, query: &Relation) -> Result<Typed> {
        let inner = self.inner(query)?;
        let sql = format!("exists({})", self.outer_names(&inner));
        let expr = DfExpr::Exists(Exists { subquery: subquery(&inner), negated: false });
        Ok(Typed { expr, data_type: DataType::Boolean, nullable: false, sql })
    }

    pub(super) fn in_subquery(&mut self, values: &[Expr], query: &Relation) -> Result<Typed> {
        let mut inner = self.inner(query)?;
        let values = self.values(values)?;
        let columns: Vec<_> = inner.visible().cloned().collect();
        if values.len() != columns.len() {
            return Err(length_mismatch(&values, &columns));
        }
        let shown: Vec<_> = values.iter().map(|value| value.sql.as_str()).collect();
        let shown = match shown.as_slice() {
            [one] => (*one).to_owned(),
            several => {
                format!("named_struct({})", several.iter().map(|v| format!("{v}, {v}")).collect::<Vec<_>>().join(", "))
            }
        };
        let sql = format!("({shown} IN (listquery({})))", self.outer_names(&inner));
        let (mut exprs, mut outputs, mut compared) = (Vec::new(), Vec::new(), Vec::new());
        let mut nullable = false;
        for (value, column) in values.into_iter().zip(&columns) {
            nullable |= value.nullable || column.nullable;
            let (value, inner_value) = self.planner.same_type(value, column.typed(), "IN")?;
            compared.push(value.expr);
            if inner_value.expr == column.expr() {
                exprs.push(column.expr());
                outputs.push(column.clone());
            } else {
                let attribute = self.planner.attribute(&column.name, &inner_value);
                exprs.push(inner_value.expr.alias(attribute.column.clone()));
                outputs.push(attribute);
            }
        }
        if outputs != columns {
            inner = self.planner.project_exprs(inner, exprs)?.with_output(outputs);
        }
        let value = match compared.len() {
            1 => compared.remove(0),
            _ => DfExpr::ScalarFunction(ScalarFunction::new_udf(datafusion::functions::core::r#struct(), compared)),
        };
        let expr = DfExpr::InSubquery(InSubquery::new(Box::new(value), subquery(&inner), false));
        Ok(Typed { expr, data_type: DataType::Boolean, nullable, sql })
    }

    /// The columns of this query that a subquery uses, each time it does, as Spark's column names list them.
    fn outer_names(&self, inner: &Resolved) -> String {
        let mut names = Vec::new();
        // The plan is ours, so walking it cannot fail.
        let _ = inner.plan.apply_with_subqueries(|node| {
            node.apply_expressions(|expr| {
                expr.apply(|part| {
                    if let DfExpr::OuterReferenceColumn(_, column) = part {
                        names.extend(self.input.iter().find(|a| a.column == column.name).map(|a| a.name.clone()));
                    }
                    Ok(TreeNodeRecursion::Continue)
                })
            })
        });
        names.join(", ")
    }

    pub(super) fn subquery_reference(&mut self, plan_id: i64, kind: &SubqueryKind) -> Result<Typed> {
        let query = self.planner.references.get(&plan_id).cloned();
        let query = query.ok_or_else(|| SparkError::internal(format!("no relation has the plan id {plan_id}")))?;
        match kind {
            SubqueryKind::Scalar => self.scalar_subquery(&query),
            SubqueryKind::Exists => self.exists(&query),
            SubqueryKind::In(values) => self.in_subquery(values, &query),
            SubqueryKind::Table { .. } => Err(SparkError::unsupported("a TABLE argument outside a table function")),
        }
    }
}

fn length_mismatch(values: &[Typed], columns: &[Attribute]) -> SparkError {
    let quoted = |names: Vec<&str>| names.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ");
    SparkError::new(&error_class::DATATYPE_MISMATCH_IN_SUBQUERY_LENGTH_MISMATCH)
        .param("sqlExpr", "\"(IN (listquery()))\"")
        .param("leftLength", values.len().to_string())
        .param("rightLength", columns.len().to_string())
        .param("leftColumns", quoted(values.iter().map(|v| v.sql.as_str()).collect()))
        .param("rightColumns", quoted(columns.iter().map(|c| c.name.as_str()).collect()))
}

/// The subquery in DataFusion's terms, with the outer columns it uses.
pub(crate) fn subquery(inner: &Resolved) -> Subquery {
    let outer_ref_columns = inner.plan.all_out_ref_exprs();
    Subquery { subquery: Arc::new(inner.plan.clone()), outer_ref_columns, spans: Spans::new() }
}
