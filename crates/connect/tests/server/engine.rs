//! An engine that plans nothing: what it does follows from the name of the table or the text of the statement.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray, StringViewArray, TimestampMicrosecondArray};
use arrow::datatypes::{DataType as Arrow, Field, Schema};
use async_trait::async_trait;
use firesteel_connect::{
    Analyze, Analyzed, ArtifactStore, Engine, ObservedMetrics, Operation, Progress, Request, ResultSink, Session,
    SessionKey, SessionSeed,
};
use firesteel_model::runtime_conf::RuntimeConf;
use firesteel_model::{ErrorContext, Result, SparkError, error_class};
use firesteel_spec::relation::RelationNode;
use firesteel_spec::{Command, DataType, Literal, StructField};

#[derive(Default)]
pub(crate) struct FakeEngine {
    pub(crate) settings: Vec<(String, String)>,
    pub(crate) batches_made: Arc<AtomicUsize>,
    pub(crate) cleaned_up: Arc<AtomicUsize>,
}

struct FakeSession {
    conf: RuntimeConf,
    artifacts: Arc<ArtifactStore>,
    batches_made: Arc<AtomicUsize>,
    cleaned_up: Arc<AtomicUsize>,
}

#[async_trait]
impl Engine for FakeEngine {
    async fn open_session(
        &self,
        _key: &SessionKey,
        seed: SessionSeed,
        artifacts: Arc<ArtifactStore>,
    ) -> Result<Arc<dyn Session>> {
        let conf = match seed {
            SessionSeed::New => RuntimeConf::new(self.settings.clone()),
            SessionSeed::CloneOf(source) => {
                let source: Arc<dyn Any + Send + Sync> = source;
                source.downcast::<FakeSession>().unwrap().conf.fork()
            }
        };
        let (batches_made, cleaned_up) = (self.batches_made.clone(), self.cleaned_up.clone());
        Ok(Arc::new(FakeSession { conf, artifacts, batches_made, cleaned_up }))
    }
}

fn long(name: &str) -> Vec<StructField> {
    vec![StructField::new(name, DataType::Long, false)]
}

fn longs(values: std::ops::Range<i64>) -> RecordBatch {
    let schema = Schema::new(vec![Field::new("internal#1", Arrow::Int64, false)]);
    RecordBatch::try_new(Arc::new(schema), vec![Arc::new(Int64Array::from_iter_values(values))]).unwrap()
}

impl FakeSession {
    async fn range(&self, end: i64, sink: &ResultSink) -> Result<()> {
        sink.schema(&long("id")).await?;
        for start in (0..end).step_by(10) {
            sink.batch(&longs(start..end.min(start + 10))).await?;
            self.batches_made.fetch_add(1, Ordering::SeqCst);
        }
        Ok(())
    }

    async fn table(&self, name: &str, operation: &Operation, sink: &ResultSink) -> Result<()> {
        match name {
            "hang" => {
                sink.schema(&long("id")).await?;
                operation.cancellation().cancelled().await;
                self.cleaned_up.fetch_add(1, Ordering::SeqCst);
                Ok(())
            }
            "panic" => panic!("as asked"),
            "wide" => {
                sink.schema(&[StructField::new("text", DataType::STRING, true)]).await?;
                let text: ArrayRef = Arc::new(StringArray::from(vec!["x".repeat(10_000)]));
                sink.batch(&RecordBatch::try_from_iter([("c", text)]).unwrap()).await
            }
            "large" => {
                sink.schema(&[StructField::new("text", DataType::STRING, true)]).await?;
                for _ in 0..64 {
                    let text: ArrayRef = Arc::new(StringArray::from(vec!["x".repeat(1 << 20)]));
                    sink.batch(&RecordBatch::try_from_iter([("c", text)]).unwrap()).await?;
                    self.batches_made.fetch_add(1, Ordering::SeqCst);
                }
                Ok(())
            }
            "typed" => self.typed(sink).await,
            "observed" => {
                self.range(3, sink).await?;
                sink.progress(Progress { stages: Vec::new(), running_tasks: 2 });
                let values = vec![("rows".to_owned(), Literal::Long(3))];
                sink.observed(vec![ObservedMetrics { name: "my".to_owned(), plan_id: 0, values }]);
                Ok(())
            }
            _ => Err(SparkError::new(&error_class::TABLE_OR_VIEW_NOT_FOUND)
                .param("relationName", format!("`{name}`"))
                .context(ErrorContext::of_sql("SELECT * FROM nothing", 14, 20))
                .source(std::io::Error::other("no such file"))),
        }
    }

    async fn typed(&self, sink: &ResultSink) -> Result<()> {
        let mut own = StructField::new("s", DataType::STRING, true);
        own.metadata = Some(r#"{"firesteel.type":"x","comment":"y"}"#.to_owned());
        sink.schema(&[StructField::new("t", DataType::Timestamp, true), own]).await?;
        let instants: ArrayRef = Arc::new(TimestampMicrosecondArray::from(vec![Some(0), None]).with_timezone("UTC"));
        let texts: ArrayRef = Arc::new(StringViewArray::from(vec![Some("a"), None]));
        sink.batch(&RecordBatch::try_from_iter([("a", instants), ("b", texts)]).unwrap()).await
    }
}

#[async_trait]
impl Session for FakeSession {
    fn conf(&self) -> &RuntimeConf {
        &self.conf
    }

    async fn execute(&self, request: Request, operation: Arc<Operation>, sink: ResultSink) -> Result<()> {
        match request {
            Request::Query(relation) => match *relation.node {
                RelationNode::Range { end, .. } => self.range(end, &sink).await,
                RelationNode::Table { name, .. } => self.table(&name.join("."), &operation, &sink).await,
                RelationNode::CachedLocalRelation { data_hashes, .. } => {
                    let size: usize = data_hashes
                        .iter()
                        .map(|hash| self.artifacts.local_relation(hash).map(|b| b.len()))
                        .sum::<Result<_>>()?;
                    self.range(size as i64, &sink).await
                }
                RelationNode::LocalRelation { .. } | RelationNode::Limit { .. } => self.range(1, &sink).await,
                other => Err(SparkError::unsupported(format!("{other:?}"))),
            },
            Request::Sql(relation) => match *relation.node {
                RelationNode::Sql { text, .. } if text.starts_with("SELECT") => sink.sql_query().await,
                RelationNode::Sql { .. } => sink.sql_rows(&long("n"), &[longs(0..2)]).await,
                other => Err(SparkError::unsupported(format!("{other:?}"))),
            },
            Request::Command(Command::Checkpoint { .. }) => sink.checkpoint("kept").await,
            Request::Command(_) => Ok(()),
        }
    }

    async fn analyze(&self, question: Analyze) -> Result<Analyzed> {
        match question {
            Analyze::Schema(_) => Ok(Analyzed::Schema(long("id"))),
            Analyze::TreeString(_, level) => Ok(Analyzed::Text(DataType::tree_string(&long("id"), level))),
            Analyze::DdlParse(_) => Ok(Analyzed::Schema(long("id"))),
            Analyze::IsLocal(_) | Analyze::IsStreaming(_) => Ok(Analyzed::Flag(false)),
            Analyze::Persist(..) | Analyze::Unpersist(..) => Ok(Analyzed::Done),
            other => Err(SparkError::unsupported(format!("{other:?}"))),
        }
    }

    async fn close(&self) {}
}
