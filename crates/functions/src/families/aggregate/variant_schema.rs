//! `schema_of_variant_agg`: the schema that holds all values of a group.

use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray};
use firesteel_model::{Result, SparkError};
use firesteel_spec::DataType;
use serde_json::{Value as Json, json};

use super::build::{aggregate_sql, ours};
use super::summaries::{Summary, summary_kinds};
use crate::call::{AggregateCall, CallModifiers, FunctionContext, Typed};
use crate::coercion::{self, Accepts};
use crate::families::rows::definitions;
use crate::udf::KernelContext;
use crate::variant::{VariantType, merged, variants};

definitions! {
    "schema_of_variant_agg" (1, 1), Aggregate(schema), "the type that holds all VARIANTs";
}

summary_kinds! {
    "schema_of_variant_agg" = Schema;
}

fn schema(ctx: &FunctionContext, arguments: Vec<Typed>, modifiers: &CallModifiers) -> Result<AggregateCall> {
    let sql = aggregate_sql("schema_of_variant_agg", &arguments, modifiers);
    let accepts = [Accepts::Is(DataType::Variant)];
    let arguments = coercion::coerce_arguments(ctx, "schema_of_variant_agg", arguments, &accepts)?;
    ours(ctx, "schema_of_variant_agg", arguments, modifiers, (DataType::STRING, false), Vec::new(), sql)
}

struct Schema(VariantType);

impl Schema {
    fn plus(&mut self, other: VariantType) {
        let mine = std::mem::replace(&mut self.0, VariantType::Plain(DataType::Null));
        self.0 = merged(mine, other);
    }
}

fn to_json(schema: &VariantType) -> Json {
    match schema {
        VariantType::Plain(data_type) => data_type.to_json(),
        VariantType::Array(element) => json!({ "element": to_json(element) }),
        VariantType::Object(fields) => {
            let fields: Vec<Json> = fields.iter().map(|(name, t)| json!([name, to_json(t)])).collect();
            json!({ "fields": fields })
        }
    }
}

fn from_json(json: &Json) -> Option<VariantType> {
    if let Some(element) = json.get("element") {
        return Some(VariantType::Array(Box::new(from_json(element)?)));
    }
    let Some(fields) = json.get("fields") else { return DataType::from_json(json).ok().map(VariantType::Plain) };
    let field = |pair: &Json| Some((pair.get(0)?.as_str()?.to_owned(), from_json(pair.get(1)?)?));
    fields.as_array()?.iter().map(field).collect::<Option<_>>().map(VariantType::Object)
}

impl Summary for Schema {
    fn new(_: &KernelContext) -> Result<Self> {
        Ok(Self(VariantType::Plain(DataType::Null)))
    }

    fn add(&mut self, _: &KernelContext, columns: &[ArrayRef], row: usize) -> Result<()> {
        for value in columns.iter().flat_map(|column| {
            variants(&column.slice(row, 1)).into_iter().flatten().map(VariantType::of).collect::<Vec<_>>()
        }) {
            self.plus(value?);
        }
        Ok(())
    }

    fn to_bytes(&self) -> Result<Vec<u8>> {
        Ok(to_json(&self.0).to_string().into_bytes())
    }

    fn merge(&mut self, _: &KernelContext, state: &[u8]) -> Result<()> {
        let broken = || SparkError::internal("the state of schema_of_variant_agg is no schema");
        let json = serde_json::from_slice(state).map_err(|error| broken().source(error))?;
        self.plus(from_json(&json).ok_or_else(broken)?);
        Ok(())
    }

    fn size(&self) -> usize {
        size_of::<Self>()
    }

    fn finish(_: &KernelContext, groups: Vec<Option<Self>>) -> Result<ArrayRef> {
        let sql = |group: Option<Self>| Some(group.map_or("VOID".to_owned(), |schema| schema.0.sql()));
        Ok(Arc::new(groups.into_iter().map(sql).collect::<StringArray>()))
    }
}
