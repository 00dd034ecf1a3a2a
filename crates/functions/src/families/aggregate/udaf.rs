//! The one aggregate UDF that all our accumulators share.
//!
//! ```text
//!   SparkAggregate { kind, context } --groups()--> Groups       many groups at a time
//!                                    --OneGroup--> Accumulator  no GROUP BY, growing windows
//!                                    --Sliding---> Accumulator  windows that drop rows
//! ```

use std::collections::HashMap;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, LazyLock};

use arrow::datatypes::{DataType as Arrow, Field, FieldRef};
use datafusion::common::ScalarValue;
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::expr::{AggregateFunctionParams, WindowFunctionParams};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::{AggregateOrderSensitivity, format_state_name};
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, GroupsAccumulator, Signature, Volatility, udaf_default_schema_name,
    udaf_default_window_function_schema_name,
};
use firesteel_model::{Result, SparkError};
use firesteel_spec::types_arrow::{arrow_field, to_arrow};

use super::distinct::DistinctGroups;
use super::one_group::{OneGroup, Sliding};
use crate::errors::to_datafusion;
use crate::udf::KernelContext;

/// An accumulator over many groups whose state travels between tasks.
pub(crate) trait Groups: GroupsAccumulator + Sync {}

impl<T: GroupsAccumulator + Sync> Groups for T {}

/// A way to aggregate, under the name by which it travels.
pub(crate) struct Kind {
    /// Unique among our aggregates.
    pub(crate) name: &'static str,
    /// Arrow types of the state between tasks.
    pub(crate) state: fn(&KernelContext) -> Vec<Arrow>,
    /// A new accumulator.
    pub(crate) groups: fn(&KernelContext) -> Result<Box<dyn Groups>>,
}

/// A kind of aggregate with its context: one object per use.
#[derive(Clone)]
pub(crate) struct SparkAggregate {
    kind: &'static Kind,
    context: KernelContext,
    signature: Signature,
}

static BY_NAME: LazyLock<HashMap<&'static str, &'static Kind>> =
    LazyLock::new(|| super::KINDS.iter().flat_map(|table| table.iter()).map(|kind| (kind.name, kind)).collect());

/// An aggregate of ours.
pub(crate) fn aggregate(name: &str, context: KernelContext) -> Result<Arc<AggregateUDF>> {
    let kind = BY_NAME
        .get(name)
        .copied()
        .ok_or_else(|| SparkError::internal(format!("no aggregate of ours is called {name}")))?;
    let signature = Signature::variadic_any(Volatility::Immutable);
    Ok(Arc::new(AggregateUDF::new_from_impl(SparkAggregate { kind, context, signature })))
}

/// Name and context of an aggregate of ours, for the wire; `None` for DataFusion's.
pub fn encode(udaf: &AggregateUDF) -> Option<(String, Vec<u8>)> {
    let udaf = udaf.inner().downcast_ref::<SparkAggregate>()?;
    Some((udaf.kind.name.to_owned(), udaf.context.to_bytes()))
}

/// The aggregate that [`encode`] gave.
pub fn decode(name: &str, bytes: &[u8]) -> Result<Arc<AggregateUDF>> {
    aggregate(name, KernelContext::from_bytes(name, bytes)?)
}

impl SparkAggregate {
    fn suffix(&self) -> String {
        let mode = if self.context.ansi { "" } else { "?" };
        format!(":{}{mode}{:?}", self.context.result.simple_string(), self.context.options)
    }

    fn new_groups(&self, is_distinct: bool) -> DataFusionResult<Box<dyn Groups>> {
        let inner = (self.kind.groups)(&self.context).map_err(to_datafusion)?;
        if !is_distinct {
            return Ok(inner);
        }
        let types = self.context.arguments.iter().map(to_arrow).collect();
        Ok(Box::new(DistinctGroups::new(types, inner)?))
    }
}

impl fmt::Debug for SparkAggregate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SparkAggregate").field("kind", &self.kind.name).field("context", &self.context).finish()
    }
}

impl PartialEq for SparkAggregate {
    fn eq(&self, other: &Self) -> bool {
        self.kind.name == other.kind.name && self.context == other.context
    }
}

impl Eq for SparkAggregate {}

impl Hash for SparkAggregate {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.kind.name.hash(state);
        self.context.hash(state);
    }
}

impl AggregateUDFImpl for SparkAggregate {
    fn name(&self) -> &str {
        self.kind.name
    }

    /// Two uses that differ in options must not share a column name.
    fn schema_name(&self, params: &AggregateFunctionParams) -> DataFusionResult<String> {
        Ok(udaf_default_schema_name(self, params)? + &self.suffix())
    }

    fn window_function_schema_name(&self, params: &WindowFunctionParams) -> DataFusionResult<String> {
        Ok(udaf_default_window_function_schema_name(self, params)? + &self.suffix())
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[Arrow]) -> DataFusionResult<Arrow> {
        Ok(to_arrow(&self.context.result))
    }

    fn return_field(&self, _arg_fields: &[FieldRef]) -> DataFusionResult<FieldRef> {
        Ok(Arc::new(arrow_field(self.kind.name, &self.context.result, self.context.nullable)))
    }

    fn is_nullable(&self) -> bool {
        self.context.nullable
    }

    fn accumulator(&self, args: AccumulatorArgs) -> DataFusionResult<Box<dyn Accumulator>> {
        Ok(Box::new(OneGroup::new(self.new_groups(args.is_distinct)?)))
    }

    fn create_sliding_accumulator(&self, args: AccumulatorArgs) -> DataFusionResult<Box<dyn Accumulator>> {
        let (aggregate, is_distinct) = (self.clone(), args.is_distinct);
        Ok(Box::new(Sliding::new(Box::new(move || aggregate.new_groups(is_distinct)))))
    }

    fn groups_accumulator_supported(&self, _args: AccumulatorArgs) -> bool {
        true
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs) -> DataFusionResult<Box<dyn GroupsAccumulator>> {
        Ok(self.new_groups(args.is_distinct)?)
    }

    fn state_fields(&self, args: StateFieldsArgs) -> DataFusionResult<Vec<FieldRef>> {
        let types = if args.is_distinct {
            let types = self.context.arguments.iter().map(to_arrow);
            types.map(|t| Arrow::List(Arc::new(Field::new_list_field(t, true)))).collect()
        } else {
            (self.kind.state)(&self.context)
        };
        let field = |(i, t)| Arc::new(Field::new(format_state_name(args.name, &format!("state{i}")), t, true));
        Ok(types.into_iter().enumerate().map(field).collect())
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }

    /// What no row at all gives.
    fn default_value(&self, _data_type: &Arrow) -> DataFusionResult<ScalarValue> {
        OneGroup::new(self.new_groups(false)?).evaluate()
    }
}
