//! Subqueries: one value, EXISTS, IN.

use std::sync::Arc;

use datafusion::common::Spans;
use datafusion::logical_expr::expr::{Exists, InSubquery};
use datafusion::logical_expr::{Expr as DfExpr, Subquery};
use firesteel_functions::call::Typed;
use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::expr::SubqueryKind;
use firesteel_spec::{DataType, Expr, Relation};

use super::Resolver;
use crate::resolved::Resolved;

impl Resolver<'_, '_> {
    /// Resolves a query inside this one, whose columns it may use.
    fn inner(&mut self, query: &Relation) -> Result<Resolved> {
        self.planner.outer.push(self.input.to_vec());
        let resolved = self.planner.relation(query);
        self.planner.outer.pop();
        let resolved = resolved?;
        let columns = resolved.visible().map(crate::attribute::Attribute::expr).collect();
        self.planner.project_exprs(resolved, columns)
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
        let expr = DfExpr::ScalarSubquery(subquery(&inner));
        Ok(Typed { expr, data_type: column.data_type.clone(), nullable: true, sql: "scalarsubquery()".to_owned() })
    }

    pub(super) fn exists(&mut self, query: &Relation) -> Result<Typed> {
        let inner = self.inner(query)?;
        let expr = DfExpr::Exists(Exists { subquery: subquery(&inner), negated: false });
        Ok(Typed { expr, data_type: DataType::Boolean, nullable: false, sql: "exists()".to_owned() })
    }

    pub(super) fn in_subquery(&mut self, values: &[Expr], query: &Relation) -> Result<Typed> {
        let mut inner = self.inner(query)?;
        let values = self.values(values)?;
        let columns: Vec<_> = inner.visible().cloned().collect();
        let ([value], [column]) = (values.as_slice(), columns.as_slice()) else {
            if values.len() == columns.len() {
                return Err(SparkError::unsupported("IN over several columns with a subquery"));
            }
            return Err(SparkError::new(&error_class::DATATYPE_MISMATCH_IN_SUBQUERY_LENGTH_MISMATCH)
                .param("sqlExpr", "\"(IN (listquery()))\"")
                .param("leftLength", values.len().to_string())
                .param("rightLength", columns.len().to_string())
                .param("leftColumns", values.iter().map(|v| format!("\"{}\"", v.sql)).collect::<Vec<_>>().join(", "))
                .param(
                    "rightColumns",
                    columns.iter().map(|c| format!("\"{}\"", c.name)).collect::<Vec<_>>().join(", "),
                ));
        };
        let (value, inner_value) = self.planner.same_type(value.clone(), column.typed(), "IN")?;
        if inner_value.expr != column.expr() {
            let attribute = self.planner.attribute(&column.name, &inner_value);
            let expr = inner_value.expr.alias(attribute.column.clone());
            inner = self.planner.project_exprs(inner, vec![expr])?.with_output(vec![attribute]);
        }
        let sql = format!("({} IN (listquery()))", value.sql);
        let nullable = value.nullable || column.nullable;
        let expr = DfExpr::InSubquery(InSubquery::new(Box::new(value.expr), subquery(&inner), false));
        Ok(Typed { expr, data_type: DataType::Boolean, nullable, sql })
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

/// The subquery in DataFusion's terms, with the outer columns it uses.
pub(crate) fn subquery(inner: &Resolved) -> Subquery {
    let outer_ref_columns = inner.plan.all_out_ref_exprs();
    Subquery { subquery: Arc::new(inner.plan.clone()), outer_ref_columns, spans: Spans::new() }
}
