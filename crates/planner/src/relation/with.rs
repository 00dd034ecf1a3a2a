//! WITH, WINDOW clauses, relations that subqueries name, observed metrics.

use std::sync::Arc;

use datafusion::logical_expr::LogicalPlan;
use datafusion::logical_expr::logical_plan::RecursiveQuery;
use firesteel_engine::exec::RecursionLimits;
use firesteel_engine::logical::RecursionNode;
use firesteel_model::{Result, SparkError, conf, error_class};
use firesteel_spec::expr::WindowSpec;
use firesteel_spec::relation::{Cte, SetKind};
use firesteel_spec::{Expr, Relation, RelationNode};

use crate::attribute::Attribute;
use crate::planner::{Planner, df};
use crate::resolved::Resolved;

impl Planner<'_> {
    /// WITH
    pub(super) fn with(&mut self, input: &Relation, ctes: &[Cte], is_recursive: bool) -> Result<Resolved> {
        for (index, cte) in ctes.iter().enumerate() {
            if ctes[..index].iter().any(|other| self.names.same(&other.name, &cte.name)) {
                return Err(SparkError::new(&error_class::DUPLICATED_CTE_DEFINITION_NAMES)
                    .param("duplicateNames", format!("`{}`", cte.name)));
            }
        }
        let mut visible = self.ctes.clone();
        for cte in ctes {
            let is_recursive = is_recursive && names_itself(&cte.query, &cte.name);
            let scope = visible.clone();
            visible.push(CteInScope { cte: cte.clone(), scope: Arc::new(scope), is_recursive });
        }
        let outer = std::mem::replace(&mut self.ctes, visible);
        let resolved = self.relation(input);
        self.ctes = outer;
        resolved
    }

    /// The query of a CTE, resolved anew at each reference so that its columns are its own.
    pub(super) fn cte_reference(&mut self, name: &str) -> Result<Option<Resolved>> {
        let names = self.names;
        if let Some(resolved) = self.recursive_reference(name)? {
            return Ok(Some(resolved));
        }
        let Some(found) = self.ctes.iter().rev().find(|c| names.same(&c.cte.name, name)).cloned() else {
            return Ok(None);
        };
        let outer = std::mem::replace(&mut self.ctes, found.scope.as_ref().clone());
        let resolved = self.nested(|planner| {
            if found.is_recursive { planner.recursive(&found.cte) } else { planner.relation(&found.cte.query) }
        });
        self.ctes = outer;
        let resolved = super::set::visible_only(self, resolved?)?;
        self.named_cte(resolved, &found.cte).map(Some)
    }

    fn named_cte(&mut self, resolved: Resolved, cte: &Cte) -> Result<Resolved> {
        if !cte.columns.is_empty() && cte.columns.len() != resolved.output.len() {
            return Err(SparkError::new(&error_class::ASSIGNMENT_ARITY_MISMATCH)
                .param("numExpr", resolved.output.len().to_string())
                .param("numTarget", cte.columns.len().to_string()));
        }
        let mut names = cte.columns.iter();
        let output = resolved
            .output
            .iter()
            .map(|a| Attribute {
                qualifier: vec![cte.name.clone()],
                name: names.next().unwrap_or(&a.name).clone(),
                ..a.clone()
            })
            .collect();
        Ok(Resolved { output, below: None, plan: resolved.plan })
    }

    /// WITH RECURSIVE: an anchor, UNION [ALL], and a step over the rows of the last round.
    fn recursive(&mut self, cte: &Cte) -> Result<Resolved> {
        let (anchor, step, is_all) = recursion(&cte.query).ok_or_else(|| {
            SparkError::new(&error_class::INVALID_RECURSIVE_CTE)
                .param("message", "it must be an anchor UNION [ALL] a recursive term")
        })?;
        let anchor = self.relation(anchor)?;
        let anchor = super::set::visible_only(self, anchor)?;
        let anchor = self.named_cte(anchor, cte)?;
        let work_table = self.unique(&cte.name);
        let fields =
            anchor.output.iter().map(|a| firesteel_spec::types_arrow::arrow_field(&a.column, &a.data_type, true));
        let schema = Arc::new(arrow::datatypes::Schema::new(fields.collect::<Vec<_>>()));
        let table = datafusion::datasource::cte_worktable::CteWorkTable::new(&work_table, schema);
        self.recursions.push(Recursion {
            name: cte.name.clone(),
            table: Arc::new(table),
            output: anchor.output.clone(),
        });
        let step = self.relation(step);
        self.recursions.pop();
        let step = super::set::visible_only(self, step?)?;
        let (mut exprs, mut static_exprs) = (Vec::new(), Vec::new());
        for (from, to) in step.output.iter().zip(&anchor.output) {
            let value = self.cast_to(from.typed(), &to.data_type)?;
            exprs.push(value.expr.alias(to.column.clone()));
            static_exprs.push(to.expr());
        }
        let step = self.project_exprs(step, exprs)?;
        let output: Vec<_> = anchor.output.iter().map(|a| Attribute { nullable: true, ..a.clone() }).collect();
        let anchor = self.project_exprs(anchor, static_exprs)?;
        let query = RecursiveQuery::try_new(work_table, Arc::new(anchor.plan), Arc::new(step.plan), !is_all);
        let limits = RecursionLimits {
            levels: match cte.max_recursion {
                Some(levels) => Some(u64::from(levels)),
                None => self.recursion_limit(&conf::CTE_RECURSION_LEVEL_LIMIT),
            },
            rows: self.recursion_limit(&conf::CTE_RECURSION_ROW_LIMIT),
        };
        let node = RecursionNode { input: Arc::new(LogicalPlan::RecursiveQuery(df(query)?)), limits };
        Ok(Resolved::new(node.into_plan(), output))
    }

    /// A limit of the session; a negative one is none.
    fn recursion_limit(&self, key: &conf::ConfKey) -> Option<u64> {
        let set = self.env.conf(key.name).or_else(|| key.default.map(str::to_owned))?;
        set.trim().parse().ok()
    }

    /// A reference of a recursive step to itself.
    fn recursive_reference(&mut self, name: &str) -> Result<Option<Resolved>> {
        let names = self.names;
        let Some(found) = self.recursions.iter().rev().find(|r| names.same(&r.name, name)) else { return Ok(None) };
        let (table, output) = (Arc::clone(&found.table), found.output.clone());
        let fields: Vec<_> = output.iter().map(Attribute::field).collect();
        let label = table.name().to_owned();
        let resolved = self.scan(&label, table, &fields, std::slice::from_ref(&name.to_owned()))?;
        Ok(Some(resolved))
    }

    /// The WINDOW clause of a query.
    pub(super) fn with_windows(&mut self, input: &Relation, windows: &[(String, WindowSpec)]) -> Result<Resolved> {
        let depth = self.windows.len();
        self.windows.extend(windows.iter().cloned());
        let resolved = self.relation(input);
        self.windows.truncate(depth);
        resolved
    }

    /// Relations that subqueries of the input name by plan id.
    pub(super) fn with_relations(&mut self, input: &Relation, references: &[Relation]) -> Result<Resolved> {
        for reference in references {
            if let Some(plan_id) = reference.plan_id {
                self.references.insert(plan_id, reference.clone());
            }
            // `spark.sql(text, df=df)`: the text knows the DataFrame by its alias.
            if let RelationNode::Alias { name, .. } = reference.node.as_ref()
                && let [name] = name.as_slice()
            {
                let query = reference.clone();
                let cte = Cte { name: name.clone(), columns: Vec::new(), query, max_recursion: None };
                self.ctes.push(CteInScope { cte, scope: Arc::new(Vec::new()), is_recursive: false });
            }
        }
        self.relation(input)
    }

    /// `df.observe`: the metrics are computed by a query of their own when the rows have been delivered.
    pub(super) fn collect_metrics(&mut self, input: &Relation, name: &str, metrics: &[Expr]) -> Result<Resolved> {
        let input = self.relation(input)?;
        let observed = self.select_over(input.clone(), metrics)?;
        self.observations.push((name.to_owned(), observed));
        Ok(Resolved { below: None, ..input })
    }
}

/// A CTE and what it can see.
#[derive(Clone, Debug)]
pub(crate) struct CteInScope {
    pub(crate) cte: Cte,
    pub(crate) scope: Arc<Vec<CteInScope>>,
    pub(crate) is_recursive: bool,
}

/// A recursive CTE whose step is being resolved.
pub(crate) struct Recursion {
    name: String,
    table: Arc<datafusion::datasource::cte_worktable::CteWorkTable>,
    output: Vec<Attribute>,
}

/// The two sides of a recursive query and whether duplicates stay.
fn recursion(query: &Relation) -> Option<(&Relation, &Relation, bool)> {
    match query.node.as_ref() {
        RelationNode::SetOperation { left, right, kind: SetKind::Union, is_all, .. } => Some((left, right, *is_all)),
        RelationNode::Alias { input, .. } => recursion(input),
        _ => None,
    }
}

/// Whether a query mentions a table of this name anywhere; its debug form is enough, since names are printed whole.
fn names_itself(query: &Relation, name: &str) -> bool {
    let text = format!("{query:?}").to_lowercase();
    text.contains(&format!("table {{ name: [\"{}\"]", name.to_lowercase()))
}
