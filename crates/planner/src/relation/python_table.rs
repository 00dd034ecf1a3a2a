//! Python functions that make rows: in FROM, with TABLE arguments, beside the rows of a lateral join.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::compute::SortOptions;
use datafusion::common::DFSchema;
use datafusion::logical_expr::{Expr as DfExpr, LogicalPlan, Projection};
use firesteel_engine::python::{Lateral, TableFunctionNode, TableWork};
use firesteel_functions::call::Typed;
use firesteel_model::{Result, SparkError, error_class};
use firesteel_python::{Argument, EvalType, TableFunction};
use firesteel_spec::command::FunctionBody;
use firesteel_spec::expr::{PythonUdf, SortKey, SubqueryKind};
use firesteel_spec::relation::{Join, JoinCondition, JoinKind};
use firesteel_spec::{DataType, Expr, ExprNode, Relation, RelationNode, StructField};

use super::filter_plan;
use super::python::python_schema;
use super::python_table_analysis::require;
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
pub(super) struct TableArgument {
    query: Relation,
    pub(super) partition_by: Vec<Expr>,
    pub(super) order_by: Vec<SortKey>,
    pub(super) is_single: bool,
    /// What of its rows the function gets; empty is all.
    pub(super) select: Vec<Selected>,
}

/// A column made of a TABLE argument's.
pub(super) struct Selected {
    pub(super) value: Expr,
    pub(super) name: String,
}

/// An argument of a call.
pub(super) struct Given {
    /// The parameter's name, where it is given by name.
    pub(super) name: Option<String>,
    /// Its value; none of the TABLE argument.
    pub(super) value: Option<Typed>,
}

/// The columns below a function: those kept, then its arguments and what partitions and sorts them.
#[derive(Default)]
struct Below {
    exprs: Vec<DfExpr>,
    columns: Vec<usize>,
    types: Vec<String>,
    arguments: Vec<Argument>,
    tables: Vec<usize>,
    partition_columns: Vec<usize>,
    keys: Vec<usize>,
    order: Vec<(usize, SortOptions)>,
}

impl Planner<'_> {
    /// The rows that a function makes; in a lateral join beside the rows it is called for.
    pub(super) fn python_table(&mut self, function: &PythonUdf, lateral: Option<(Resolved, bool)>) -> Result<Resolved> {
        let command = python_command(function);
        if !command.eval_type.is_table() {
            let unsupported = format!("Python evaluation type {} as a table function", command.eval_type.0);
            return Err(SparkError::unsupported(unsupported));
        }
        let mut table = self.table_argument(function)?;
        let mut below = Below::default();
        let (kept, is_outer, input) = match (lateral, &table) {
            (Some(_), Some(_)) => return Err(SparkError::internal("a TABLE argument over another table's rows")),
            (Some((left, is_outer)), None) => (left.output.clone(), Some(is_outer), left),
            (None, Some(table)) => (Vec::new(), None, self.table_rows(&table.query)?),
            (None, None) => (Vec::new(), None, self.relation(&Relation::new(RelationNode::OneRow))?),
        };
        let given = self.given(function, &input)?;
        let (output, analyzed) = match &function.output_type {
            Some(_) => (self.python_output(function)?, None),
            None => {
                let (fields, analysis) = self.analyzed_call(&command, &given, &input)?;
                if let Some(table) = &mut table {
                    require(&function.name, &analysis, table)?;
                }
                (self.output_of(fields), Some(analysis.pickled))
            }
        };
        below.exprs.extend(kept.iter().map(Attribute::expr));
        for Given { name, value } in given {
            let value = match (value, &table) {
                (Some(value), _) => value,
                (None, Some(table)) => {
                    below.tables.push(below.arguments.len());
                    self.table_value(&input, table, &mut below)?
                }
                (None, None) => return Err(SparkError::internal("a table that is no argument")),
            };
            below.argument(value, name);
        }
        let fields: Vec<StructField> = output.iter().map(Attribute::field).collect();
        let work = TableWork {
            call: TableFunction {
                arguments: below.arguments,
                tables: below.tables,
                partition_columns: below.partition_columns,
                analyzed,
                returns_json: DataType::Struct(fields).to_json().to_string(),
            },
            command,
            session: self.env.python()?,
            argument_types: below.types,
            columns: below.columns,
            keys: below.keys,
            order: below.order,
            is_single: table.is_some_and(|table| table.is_single),
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

    /// The arguments over the rows that the function is called for.
    fn given(&mut self, function: &PythonUdf, input: &Resolved) -> Result<Vec<Given>> {
        let mut all = Vec::new();
        for argument in &function.arguments {
            let (name, given) = match argument.node.as_ref() {
                ExprNode::NamedArgument { name, value } => (Some(name.clone()), value),
                _ => (None, argument),
            };
            let value = match is_table(given) {
                true => None,
                false => Some(Resolver::new(self, &input.output).value(given)?),
            };
            all.push(Given { name, value });
        }
        Ok(all)
    }

    fn table_argument(&mut self, function: &PythonUdf) -> Result<Option<TableArgument>> {
        let mut found = Vec::new();
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
                    select: Vec::new(),
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
                    select: Vec::new(),
                },
                _ => continue,
            };
            found.push(table);
        }
        match found.len() {
            0 | 1 => Ok(found.pop()),
            many => Err(SparkError::new(&error_class::TABLE_VALUED_FUNCTION_TOO_MANY_TABLE_ARGUMENTS)
                .param("num", many.to_string())),
        }
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
        for Selected { value, name } in &table.select {
            let value = Resolver::new(self, &input.output).value(value)?;
            parts.extend([self.string(name)?, value]);
        }
        for attribute in input.output.iter().filter(|_| table.select.is_empty()) {
            parts.extend([self.string(&attribute.name)?, attribute.typed()]);
        }
        let columns = parts.len() / 2;
        let keys = Resolver::new(self, &input.output).values(&table.partition_by)?;
        for (index, key) in keys.into_iter().enumerate() {
            parts.extend([self.string(&format!("partition_by_{index}"))?, key.clone()]);
            below.partition_columns.push(columns + index);
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
        if self.table_argument(&table.function)?.is_some() {
            // It is called for its table, not for the rows on the left.
            let mut right = self.python_table(&table.function, None)?;
            table.name_columns(&mut right.output, false);
            return self.join_over(left, right, join.kind, &join.condition);
        }
        if python_command(&table.function).eval_type == EvalType::ARROW_TABLE_OF_BATCHES {
            // Nothing in what its worker answers tells to which row an answer belongs.
            return Err(SparkError::unsupported("an arrow_udtf of a row's values in a lateral join"));
        }
        let is_outer = match (join.kind, &join.condition) {
            (JoinKind::Inner | JoinKind::Cross, JoinCondition::None | JoinCondition::On(_)) => false,
            (JoinKind::Left, JoinCondition::None) => true,
            _ => return Err(SparkError::unsupported("a Python table function in this kind of lateral join")),
        };
        let own = left.output.len();
        let mut resolved = self.python_table(&table.function, Some((left, is_outer)))?;
        table.name_columns(&mut resolved.output[own..], is_outer);
        if let JoinCondition::On(condition) = &join.condition {
            let condition = Resolver::new(self, &resolved.output).condition(condition)?;
            resolved.plan = filter_plan(resolved.plan, condition.expr)?;
        }
        Ok(resolved)
    }
}

impl AliasedTable {
    /// Puts the alias on the function's columns.
    fn name_columns(&self, columns: &mut [Attribute], is_outer: bool) {
        let mut names = self.columns.iter();
        for attribute in columns {
            attribute.qualifier.clone_from(&self.name);
            attribute.nullable |= is_outer;
            if let Some(name) = names.next() {
                attribute.name.clone_from(name);
            }
        }
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
