//! Python functions that make rows: in FROM, with TABLE arguments, beside the rows of a lateral join.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::compute::SortOptions;
use datafusion::common::DFSchema;
use datafusion::logical_expr::{Expr as DfExpr, LogicalPlan, Projection};
use firesteel_engine::python::{Lateral, TableFunctionNode, TableWork};
use firesteel_functions::call::Typed;
use firesteel_model::{Result, SparkError};
use firesteel_python::{Argument, EvalType, TableFunction};
use firesteel_spec::command::FunctionBody;
use firesteel_spec::expr::{PythonUdf, SortKey, SubqueryKind};
use firesteel_spec::relation::{Join, JoinCondition, JoinKind};
use firesteel_spec::{DataType, Expr, ExprNode, Relation, RelationNode, StructField};

use super::python::python_schema;
use crate::attribute::Attribute;
use crate::expr::{Resolver, called_with, python_command};
use crate::planner::{Planner, child, df};
use crate::resolved::Resolved;

/// A call of a table function and the alias it stands under.
pub(super) struct AliasedTable {
    function: PythonUdf,
    name: Vec<String>,
    columns: Vec<String>,
}

/// A TABLE argument.
struct TableArgument {
    query: Relation,
    partition_by: Vec<Expr>,
    order_by: Vec<SortKey>,
    is_single: bool,
}

/// The columns below a function: those kept, then its arguments and what partitions and sorts them.
#[derive(Default)]
struct Below {
    exprs: Vec<DfExpr>,
    columns: Vec<usize>,
    types: Vec<String>,
    arguments: Vec<Argument>,
    partition_columns: Vec<usize>,
    keys: Vec<usize>,
    order: Vec<(usize, SortOptions)>,
}

impl Planner<'_> {
    /// The rows that a function makes; in a lateral join beside the rows it is called for.
    pub(super) fn python_table(&mut self, function: &PythonUdf, lateral: Option<(Resolved, bool)>) -> Result<Resolved> {
        let command = python_command(function);
        if command.eval_type != EvalType::ARROW_TABLE {
            let unsupported = format!("Python evaluation type {} as a table function", command.eval_type.0);
            return Err(SparkError::unsupported(unsupported));
        }
        let output = self.python_output(function)?;
        let table = self.table_argument(function)?;
        let is_single = table.as_ref().is_some_and(|table| table.is_single);
        let mut below = Below::default();
        let (kept, is_outer, input) = match (lateral, &table) {
            (Some(_), Some(_)) => return Err(SparkError::unsupported("a TABLE argument in a lateral join")),
            (Some((left, is_outer)), None) => (left.output.clone(), Some(is_outer), left),
            (None, Some(table)) => (Vec::new(), None, self.table_rows(&table.query)?),
            (None, None) => (Vec::new(), None, self.relation(&Relation::new(RelationNode::OneRow))?),
        };
        below.exprs.extend(kept.iter().map(Attribute::expr));
        for argument in &function.arguments {
            let (name, given) = match argument.node.as_ref() {
                ExprNode::NamedArgument { name, value } => (Some(name.clone()), value),
                _ => (None, argument),
            };
            let value = match (&table, is_table(given)) {
                (Some(table), true) => self.table_value(&input, table, &mut below)?,
                _ => Resolver::new(self, &input.output).value(given)?,
            };
            below.argument(value, name);
        }
        let fields: Vec<StructField> = output.iter().map(Attribute::field).collect();
        let work = TableWork {
            call: TableFunction {
                arguments: below.arguments,
                partition_columns: below.partition_columns,
                analyzed: None,
                returns_json: DataType::Struct(fields).to_json().to_string(),
            },
            command,
            session: self.env.python()?,
            argument_types: below.types,
            columns: below.columns,
            keys: below.keys,
            order: below.order,
            is_single,
            lateral: is_outer.map(|is_outer| Lateral { kept: kept.len(), is_outer }),
        };
        self.table_node(input, below.exprs, kept, work, output)
    }

    fn table_node(
        &mut self,
        input: Resolved,
        exprs: Vec<DfExpr>,
        kept: Vec<Attribute>,
        work: TableWork,
        output: Vec<Attribute>,
    ) -> Result<Resolved> {
        let named = exprs.into_iter().enumerate().map(|(place, expr)| match place < kept.len() {
            true => expr,
            false => expr.alias(self.unique("argument")),
        });
        let named = named.collect();
        let plan = LogicalPlan::Projection(df(Projection::try_new(named, child(input.plan)))?);
        let own =
            plan.schema().iter().take(kept.len()).map(|(qualifier, field)| (qualifier.cloned(), Arc::clone(field)));
        let made = python_schema(&output)?;
        let made = made.iter().map(|(qualifier, field)| (qualifier.cloned(), Arc::clone(field)));
        let schema = df(DFSchema::new_with_metadata(own.chain(made).collect(), HashMap::new()))?;
        let node = TableFunctionNode { input: Arc::new(plan), work, schema: Arc::new(schema) };
        Ok(Resolved::new(node.into_plan(), kept.into_iter().chain(output).collect()))
    }

    fn table_argument(&mut self, function: &PythonUdf) -> Result<Option<TableArgument>> {
        let mut found = None;
        for argument in &function.arguments {
            let given = match argument.node.as_ref() {
                ExprNode::NamedArgument { value, .. } => value,
                _ => argument,
            };
            let table = match given.node.as_ref() {
                ExprNode::TableArgument { query, partition_by, order_by, single_partition } => TableArgument {
                    query: query.as_ref().clone(),
                    partition_by: partition_by.clone(),
                    order_by: order_by.clone(),
                    is_single: *single_partition,
                },
                ExprNode::SubqueryReference {
                    plan_id,
                    kind: SubqueryKind::Table { partition_by, order_by, single_partition },
                } => TableArgument {
                    query: self.references.get(plan_id).cloned().ok_or_else(|| {
                        SparkError::internal(format!("the plan {plan_id} of a TABLE argument was not sent"))
                    })?,
                    partition_by: partition_by.clone(),
                    order_by: order_by.clone(),
                    is_single: *single_partition,
                },
                _ => continue,
            };
            if found.replace(table).is_some() {
                return Err(SparkError::unsupported("several TABLE arguments of one function"));
            }
        }
        Ok(found)
    }

    fn table_rows(&mut self, query: &Relation) -> Result<Resolved> {
        let rows = self.relation(query)?;
        let names = rows.output.clone();
        let shown = self.shown_only(rows)?;
        // What partitions and sorts may name the table.
        let qualifier = |column: &str| names.iter().find(|a| a.column == column).map(|a| a.qualifier.clone());
        let output = shown
            .output
            .into_iter()
            .map(|attribute| Attribute { qualifier: qualifier(&attribute.column).unwrap_or_default(), ..attribute });
        Ok(Resolved::new(shown.plan, output.collect()))
    }

    /// A whole row as a struct, with the columns that tell where its partition ends.
    fn table_value(&mut self, input: &Resolved, table: &TableArgument, below: &mut Below) -> Result<Typed> {
        let mut parts = Vec::new();
        for attribute in &input.output {
            parts.extend([self.string(&attribute.name)?, attribute.typed()]);
        }
        let keys = Resolver::new(self, &input.output).values(&table.partition_by)?;
        for (index, key) in keys.into_iter().enumerate() {
            parts.extend([self.string(&format!("partition_by_{index}"))?, key.clone()]);
            below.partition_columns.push(input.output.len() + index);
            below.keys.push(below.exprs.len());
            below.exprs.push(key.expr);
        }
        for sort in &table.order_by {
            let value = Resolver::new(self, &input.output).value(&sort.child)?;
            let options = SortOptions { descending: !sort.ascending, nulls_first: sort.nulls_first };
            below.order.push((below.exprs.len(), options));
            below.exprs.push(value.expr);
        }
        self.apply("named_struct", parts)
    }

    /// The Python table function that a relation is, if it is one.
    pub(super) fn python_table_in(&self, relation: &Relation) -> Option<AliasedTable> {
        match relation.node.as_ref() {
            RelationNode::Alias { input, name, columns } => {
                let table = self.python_table_in(input)?;
                Some(AliasedTable { name: name.clone(), columns: columns.clone(), ..table })
            }
            RelationNode::PythonTableFunction(function) => {
                let function = function.as_ref().clone();
                Some(AliasedTable { function, name: Vec::new(), columns: Vec::new() })
            }
            RelationNode::TableFunction(call) => {
                let function = self.env.sql_function(&call.name)?;
                let FunctionBody::Python(python) = &function.body else { return None };
                let function = called_with(python, &call.arguments);
                Some(AliasedTable { function, name: Vec::new(), columns: Vec::new() })
            }
            _ => None,
        }
    }

    /// `FROM t, LATERAL f(t.a)`
    pub(super) fn lateral_python_table(
        &mut self,
        left: Resolved,
        join: &Join,
        table: &AliasedTable,
    ) -> Result<Resolved> {
        let is_outer = match (join.kind, &join.condition) {
            (JoinKind::Inner | JoinKind::Cross, JoinCondition::None) => false,
            (JoinKind::Left, JoinCondition::None) => true,
            _ => return Err(SparkError::unsupported("a Python table function in this kind of lateral join")),
        };
        let own = left.output.len();
        let mut resolved = self.python_table(&table.function, Some((left, is_outer)))?;
        let mut names = table.columns.iter();
        for attribute in resolved.output.iter_mut().skip(own) {
            attribute.qualifier.clone_from(&table.name);
            attribute.nullable |= is_outer;
            if let Some(name) = names.next() {
                attribute.name.clone_from(name);
            }
        }
        Ok(resolved)
    }
}

impl Below {
    fn argument(&mut self, value: Typed, name: Option<String>) {
        self.arguments.push(Argument { offset: self.columns.len(), name });
        self.columns.push(self.exprs.len());
        self.types.push(value.data_type.to_json().to_string());
        self.exprs.push(value.expr);
    }
}

fn is_table(argument: &Expr) -> bool {
    matches!(
        argument.node.as_ref(),
        ExprNode::TableArgument { .. } | ExprNode::SubqueryReference { kind: SubqueryKind::Table { .. }, .. }
    )
}
