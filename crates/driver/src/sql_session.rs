//! [`SqlSession`]: statements in SQL text, for the shell and for jobs written in SQL.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{RecordBatch, StringArray};
use arrow::datatypes::{Schema, SchemaRef};
use firesteel_executor::JobOptions;
use firesteel_functions::errors::from_arrow;
use firesteel_functions::format::display;
use firesteel_model::{Result, SparkError, conf};
use firesteel_spec::types_arrow::{from_arrow_fields, to_arrow_field};
use firesteel_spec::{Plan, Relation, RelationNode, StructField};
use futures::{Stream, stream};
use tokio_util::sync::CancellationToken;

use crate::application::{Application, EngineConfig};
use crate::command;
use crate::planning;
use crate::session::DriverSession;

/// Rows of a statement.
pub struct Rows {
    /// Columns under the user's names.
    pub schema: SchemaRef,
    /// Rows, as they come. Dropping the stream cancels the query.
    pub batches: Pin<Box<dyn Stream<Item = Result<RecordBatch>> + Send>>,
    /// The session's time zone.
    pub time_zone: String,
}

/// The columns' values as `show` writes them; nulls are `NULL`.
pub fn text_columns(batch: &RecordBatch, time_zone: &str) -> Result<Vec<StringArray>> {
    let fields = from_arrow_fields(batch.schema().fields());
    let fields = fields.ok_or_else(|| SparkError::internal("a column without a type of Spark's"))?;
    let columns = batch.columns().iter().zip(&fields);
    columns.map(|(column, field)| display(column, &field.data_type, time_zone)).collect()
}

/// A session that takes SQL text.
pub struct SqlSession {
    session: DriverSession,
    current: Mutex<CancellationToken>,
}

impl SqlSession {
    /// Starts the engine in this process.
    pub async fn open(config: EngineConfig) -> Result<Self> {
        let application = Application::start(config)?;
        let session = DriverSession::new(application, "", None);
        Ok(Self { session, current: Mutex::default() })
    }

    /// Runs one statement; a query's rows come while it runs.
    pub async fn execute(&self, text: &str) -> Result<Rows> {
        let cancellation = CancellationToken::new();
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = cancellation.clone();
        match firesteel_sql::parse_statement(text)? {
            Plan::Command(command) => {
                let rows = command::run(&self.session.until(&cancellation), &command, &cancellation).await?;
                let schema = user_schema(&rows.fields);
                let batches = rows.batches.iter().map(|batch| renamed(batch, &schema)).collect::<Vec<_>>();
                Ok(Rows { schema, batches: Box::pin(stream::iter(batches)), time_zone: self.time_zone() })
            }
            Plan::Query(_) => self.query(text, cancellation).await,
        }
    }

    async fn query(&self, text: &str, cancellation: CancellationToken) -> Result<Rows> {
        let node = RelationNode::Sql { text: text.to_owned(), named: Vec::new(), positional: Vec::new() };
        let prepared = planning::prepared(&self.session.until(&cancellation), &Relation::new(node)).await?;
        let schema = user_schema(&prepared.planned.fields);
        let options = JobOptions {
            cancel: Some(cancellation),
            settings: prepared.settings.clone(),
            files: prepared.files.clone(),
            description: Some(text.to_owned()),
            ..JobOptions::default()
        };
        let rows = self.session.application().cluster.submit(prepared.physical, options).await?;
        let batches = stream::unfold((rows, Arc::clone(&schema)), |(mut rows, schema)| async move {
            let batch = rows.next().await?.and_then(|batch| renamed(&batch.batch, &schema));
            Some((batch, (rows, schema)))
        });
        Ok(Rows { schema, batches: Box::pin(batches), time_zone: self.time_zone() })
    }

    fn time_zone(&self) -> String {
        self.session.settings().text(&conf::SESSION_TIME_ZONE)
    }

    /// Cancels the statement that runs.
    pub fn cancel(&self) {
        self.current.lock().unwrap_or_else(PoisonError::into_inner).cancel();
    }

    /// Ends the session and the engine, and throws away what jobs left.
    pub async fn close(self) {
        self.cancel();
        self.session.application().cluster.shutdown().await;
    }
}

fn user_schema(fields: &[StructField]) -> SchemaRef {
    Arc::new(Schema::new(fields.iter().map(|f| to_arrow_field(f).with_nullable(true)).collect::<Vec<_>>()))
}

fn renamed(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch> {
    let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(Arc::clone(schema), batch.columns().to_vec(), &options).map_err(from_arrow)
}
