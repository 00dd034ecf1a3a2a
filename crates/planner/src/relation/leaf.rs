//! Relations without input: tables, files, rows sent by the client, VALUES, ranges, catalog calls.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{Schema, SchemaRef};
use arrow::ipc::reader::StreamReader;
use bytes::Bytes;
use datafusion::catalog::TableProvider;
use datafusion::common::{Column, TableReference};
use datafusion::datasource::{MemTable, provider_as_source};
use datafusion::logical_expr::logical_plan::{EmptyRelation, Projection, TableScanBuilder, Values};
use datafusion::logical_expr::{Expr as DfExpr, LogicalPlan};
use firesteel_engine::exec::RangeTable;
use firesteel_functions::call::Typed;
use firesteel_functions::cast::fill_up;
use firesteel_functions::coercion;
use firesteel_model::{Result, SparkError, conf, error_class};
use firesteel_spec::relation::{DataSource, TimeTravel};
use firesteel_spec::types_arrow::{self, to_arrow, to_arrow_field};
use firesteel_spec::{CatalogOp, Expr, Plan, RelationNode, StructField};

use super::columns::parse_schema;
use crate::attribute::Attribute;
use crate::environment::TableSource;
use crate::expr::Resolver;
use crate::planner::{Planner, child, df};
use crate::resolved::Resolved;

/// Formats that may stand before a path: `parquet.`/a/b``.
const PATH_FORMATS: [&str; 7] = ["parquet", "csv", "json", "orc", "avro", "text", "binaryfile"];

impl Planner<'_> {
    pub(super) fn leaf(&mut self, node: &RelationNode) -> Result<Resolved> {
        match node {
            RelationNode::OneRow => Ok(one_row()),
            RelationNode::Table { name, options, time_travel, is_streaming } => {
                if *is_streaming {
                    return Err(SparkError::unsupported("streaming tables"));
                }
                self.table(name, options, time_travel.as_ref())
            }
            RelationNode::IdentifierTable { name } => {
                let parts = self.identifier_parts(name)?;
                self.table(&parts, &[], None)
            }
            RelationNode::DataSource(source) => self.data_source(source),
            RelationNode::LocalRelation { data, schema } => {
                let data: Vec<Bytes> = data.iter().cloned().collect();
                self.local_relation(&data, schema.as_deref())
            }
            RelationNode::CachedLocalRelation { data_hashes, schema_hash } => {
                let data = data_hashes.iter().map(|hash| self.env.artifact(hash)).collect::<Result<Vec<_>>>()?;
                let schema = schema_hash.as_ref().map(|hash| self.env.artifact(hash)).transpose()?;
                let schema = schema.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
                self.local_relation(&data, schema.as_deref())
            }
            RelationNode::Values(rows) => self.values(rows),
            RelationNode::Range { start, end, step, partitions } => {
                self.range(start.unwrap_or(0), *end, *step, *partitions)
            }
            RelationNode::CachedRemoteRelation(id) => {
                let (provider, fields) = self.env.checkpoint(id)?;
                self.scan("checkpoint", provider, &fields, &[])
            }
            // It is run once, before it is planned; whatever is built upon it reads the table.
            RelationNode::Catalog(CatalogOp::CreateTable { table, .. }) => {
                let name = firesteel_sql::parse_multipart_identifier(table)?;
                self.table(&name, &[], None)
            }
            RelationNode::Catalog(call) => {
                let (fields, batches) = self.env.catalog(call)?;
                self.rows(&fields, batches)
            }
            RelationNode::Command(command) => {
                self.input_files.ran_command = true;
                let (fields, batches) = self.env.command(command)?;
                self.rows(&fields, batches)
            }
            RelationNode::Sql { text, named, positional } => self.sql_text(text, named, positional),
            other => Err(SparkError::internal(format!("{other:?} is no leaf"))),
        }
    }

    fn table(
        &mut self,
        name: &[String],
        options: &[(String, String)],
        time_travel: Option<&TimeTravel>,
    ) -> Result<Resolved> {
        if let [single] = name
            && let Some(resolved) = self.cte_reference(single)?
        {
            return Ok(resolved);
        }
        let in_view = self.view_schema.as_ref().filter(|_| name.len() == 1);
        let within: Vec<String> = in_view.into_iter().chain(name).cloned().collect();
        let source = match self.env.table(&within, options, time_travel) {
            Ok(source) => source,
            Err(failure) => return self.path_table(name, failure),
        };
        match source {
            TableSource::Provider { provider, fields, name } => {
                if options.is_empty()
                    && let Some(kept) = self.env.cached_table(&name)?
                {
                    return self.kept(kept);
                }
                let label = name.last().cloned().unwrap_or_default();
                self.scan(&label, provider, &fields, &name)
            }
            TableSource::View { query, columns, name, stored } => self.view(&query, &columns, &name, stored.as_ref()),
        }
    }

    /// `parquet.`/path``: files named like a table.
    fn path_table(&mut self, name: &[String], failure: SparkError) -> Result<Resolved> {
        let [format, path] = name else { return Err(failure) };
        if !PATH_FORMATS.contains(&format.to_lowercase().as_str()) {
            return Err(failure);
        }
        let source = DataSource { format: Some(format.clone()), paths: vec![path.clone()], ..DataSource::default() };
        self.data_source(&source)
    }

    fn data_source(&mut self, source: &DataSource) -> Result<Resolved> {
        if source.is_streaming {
            return Err(SparkError::unsupported("streaming sources"));
        }
        let (provider, fields) = self.env.read(source)?;
        self.scan(source.format.as_deref().unwrap_or("files"), provider, &fields, &[])
    }

    fn sql_text(&mut self, text: &str, named: &[(String, Expr)], positional: &[Expr]) -> Result<Resolved> {
        let plan = self.env.parse(text, named, positional)?;
        let outer_text = self.text.replace(text.into());
        let resolved = match &plan {
            Plan::Query(query) => self.nested(|planner| planner.relation(query)),
            Plan::Command(command) => {
                self.input_files.ran_command = true;
                self.env.command(command).and_then(|(fields, batches)| self.rows(&fields, batches))
            }
        };
        self.text = outer_text;
        resolved
    }

    /// Scans a provider whose columns are `fields`, cast to the engine's own types where they differ; what it has beyond
    /// them is hidden.
    pub(crate) fn scan(
        &mut self,
        label: &str,
        provider: Arc<dyn TableProvider>,
        fields: &[StructField],
        qualifier: &[String],
    ) -> Result<Resolved> {
        let schema = provider.schema();
        let reference = TableReference::bare(label.to_owned());
        let scan = TableScanBuilder::new(reference.clone(), provider_as_source(provider)).build();
        let scan = LogicalPlan::TableScan(df(scan)?);
        let hidden = schema.fields().iter().skip(fields.len());
        let hidden: Vec<_> = hidden.filter_map(|field| types_arrow::from_arrow_field(field)).collect();
        let pads = self.is_on(&conf::READ_SIDE_CHAR_PADDING);
        let (mut exprs, mut output) = (Vec::new(), Vec::new());
        for (index, (field, arrow)) in fields.iter().chain(&hidden).zip(schema.fields()).enumerate() {
            let attribute = Attribute {
                qualifier: qualifier.to_vec(),
                metadata: field.metadata.clone(),
                is_hidden: index >= fields.len(),
                ..self.attribute_of(&field.name, field.data_type.clone(), field.nullable)
            };
            let column = DfExpr::Column(Column::new(Some(reference.clone()), arrow.name()));
            let wanted = to_arrow(&field.data_type);
            let value =
                if *arrow.data_type() == wanted { column } else { datafusion::logical_expr::cast(column, wanted) };
            let value = match attribute.char_length().filter(|_| pads) {
                Some(length) => fill_up(&self.context, Typed { expr: value, ..attribute.typed() }, length)?.expr,
                None => value,
            };
            exprs.push(value.alias(attribute.column.clone()));
            output.push(attribute);
        }
        let plan = LogicalPlan::Projection(df(Projection::try_new(exprs, child(scan)))?);
        Ok(Resolved::new(plan, output))
    }

    /// Rows held in memory.
    pub(crate) fn rows(&mut self, fields: &[StructField], batches: Vec<RecordBatch>) -> Result<Resolved> {
        let schema: SchemaRef = Arc::new(Schema::new(unique_fields(fields)));
        let batches = batches.into_iter().map(|batch| retyped(&batch, &schema)).collect::<Result<Vec<_>>>()?;
        let partitions = self.split(batches);
        let table = df(MemTable::try_new(schema, partitions))?;
        self.scan("rows", Arc::new(table), fields, &[])
    }

    /// Partitions of rows that come from no file.
    fn leaf_parallelism(&self) -> usize {
        let keys = [&conf::LEAF_NODE_DEFAULT_PARALLELISM, &conf::DEFAULT_PARALLELISM];
        keys.iter().find_map(|key| self.env.conf(key.name)?.parse().ok()).unwrap_or(1).max(1)
    }

    /// Local rows are spread over as many partitions as there are cores, as Spark's are.
    fn split(&self, batches: Vec<RecordBatch>) -> Vec<Vec<RecordBatch>> {
        let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
        let count = self.leaf_parallelism().min(rows).max(1);
        let mut partitions: Vec<Vec<RecordBatch>> = vec![Vec::new(); count];
        let mut seen = 0;
        for batch in batches {
            let mut offset = 0;
            while offset < batch.num_rows() {
                let index = (seen * count / rows).min(count - 1);
                let end = ((index + 1) * rows).div_ceil(count);
                let length = (end - seen).clamp(1, batch.num_rows() - offset);
                partitions[index].push(batch.slice(offset, length));
                offset += length;
                seen += length;
            }
        }
        partitions
    }

    /// Rows the client sent as Arrow streams; the schema renames and retypes them.
    fn local_relation(&mut self, data: &[Bytes], schema: Option<&str>) -> Result<Resolved> {
        let mut batches = Vec::new();
        let mut sent: Option<Vec<StructField>> = None;
        for bytes in data {
            let reader = StreamReader::try_new(std::io::Cursor::new(bytes), None).map_err(malformed)?;
            sent = types_arrow::from_arrow_fields(reader.schema().fields());
            for batch in reader {
                batches.push(batch.map_err(malformed)?);
            }
        }
        let fields = match (schema, sent) {
            (Some(schema), _) => parse_schema(schema)?,
            (None, Some(fields)) => fields,
            (None, None) => {
                return Err(SparkError::new(&error_class::CONNECT_INVALID_PLAN)
                    .param("errorMsg", "a local relation needs data or a schema"));
            }
        };
        self.rows(&fields, batches)
    }

    /// VALUES
    fn values(&mut self, rows: &[Vec<Expr>]) -> Result<Resolved> {
        let width = rows.first().map_or(0, Vec::len);
        let mut resolved = Vec::new();
        for row in rows {
            if row.len() != width {
                return Err(SparkError::new(&error_class::INVALID_INLINE_TABLE_NUM_COLUMNS_MISMATCH)
                    .param("expectedNumCols", width.to_string())
                    .param("actualNumCols", row.len().to_string())
                    .param("rowIndex", resolved.len().to_string()));
            }
            resolved.push(Resolver::new(self, &[]).values(row)?);
        }
        let mut output = Vec::new();
        let mut exprs: Vec<Vec<DfExpr>> = vec![Vec::with_capacity(width); rows.len()];
        for column in 0..width {
            let types: Vec<_> = resolved.iter().map(|row| row[column].data_type.clone()).collect();
            let common = coercion::common_type(&self.context, &types).ok_or_else(|| {
                SparkError::new(&error_class::INVALID_INLINE_TABLE_INCOMPATIBLE_TYPES_IN_INLINE_TABLE)
                    .param("colName", format!("`col{}`", column + 1))
            })?;
            let nullable = resolved.iter().any(|row| row[column].nullable);
            for (row, exprs) in resolved.iter().zip(&mut exprs) {
                exprs.push(self.cast_to(row[column].clone(), &common)?.expr);
            }
            output.push(self.attribute_of(&format!("col{}", column + 1), common, nullable));
        }
        let fields: Vec<_> = output.iter().map(|a| types_arrow::arrow_field(&a.column, &a.data_type, true)).collect();
        let schema = df(datafusion::common::DFSchema::try_from(Schema::new(fields)))?;
        let plan = LogicalPlan::Values(Values { schema: Arc::new(schema), values: exprs });
        Ok(Resolved::new(plan, output))
    }

    fn range(&mut self, start: i64, end: i64, step: i64, partitions: Option<i32>) -> Result<Resolved> {
        if step == 0 {
            return Err(SparkError::new(&error_class::INVALID_PARAMETER_VALUE_ZERO_STEP)
                .param("functionName", "`range`")
                .param("parameter", "`step`"));
        }
        let partitions = match partitions {
            Some(count) => usize::try_from(count).unwrap_or(1).max(1),
            None => self.leaf_parallelism(),
        };
        let fields = [StructField::new("id", firesteel_spec::DataType::Long, false)];
        let table = RangeTable::new(start, end, step, partitions);
        self.scan("range", Arc::new(table), &fields, &[])
    }

    /// The value of a constant expression.
    pub(crate) fn constant(&self, typed: &Typed) -> Result<datafusion::common::ScalarValue> {
        use datafusion::logical_expr::execution_props::ExecutionProps;
        use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
        use datafusion::physical_expr::create_physical_expr;
        let schema = datafusion::common::DFSchema::empty();
        let physical = df(create_physical_expr(
            &typed.expr,
            &schema,
            &ExecutionProps::new(),
            &PhysicalPlanningContext::default(),
        ))?;
        let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(1));
        let batch = RecordBatch::try_new_with_options(Arc::new(Schema::empty()), Vec::new(), &options);
        let batch = batch.map_err(|e| firesteel_functions::errors::from_datafusion(e.into()))?;
        let value = df(physical.evaluate(&batch))?;
        match value {
            datafusion::logical_expr::ColumnarValue::Scalar(value) => Ok(value),
            datafusion::logical_expr::ColumnarValue::Array(array) => {
                df(datafusion::common::ScalarValue::try_from_array(&array, 0))
            }
        }
    }
}

fn one_row() -> Resolved {
    let schema = Arc::new(datafusion::common::DFSchema::empty());
    Resolved::new(LogicalPlan::EmptyRelation(EmptyRelation { produce_one_row: true, schema }), Vec::new())
}

/// Fields under names that cannot clash: the user's may repeat.
fn unique_fields(fields: &[StructField]) -> Vec<arrow::datatypes::Field> {
    let named = fields.iter().enumerate();
    named.map(|(i, field)| to_arrow_field(field).with_name(format!("{}_{i}", field.name)).with_nullable(true)).collect()
}

fn retyped(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch> {
    let options = CastOptions { safe: false, ..CastOptions::default() };
    let columns = batch
        .columns()
        .iter()
        .zip(schema.fields())
        .map(|(column, field)| {
            if column.data_type() == field.data_type() {
                return Ok(Arc::clone(column));
            }
            cast_with_options(column, field.data_type(), &options)
        })
        .collect::<std::result::Result<Vec<ArrayRef>, _>>()
        .map_err(malformed)?;
    let rows = arrow::array::RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(Arc::clone(schema), columns, &rows).map_err(malformed)
}

fn malformed(source: arrow::error::ArrowError) -> SparkError {
    SparkError::new(&error_class::CONNECT_INVALID_PLAN).param("errorMsg", source.to_string()).source(source)
}
