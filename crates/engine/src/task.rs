//! What an attempt needs from outside and gives back.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::arrow::record_batch::RecordBatch;
use datafusion::common::{Result, internal_datafusion_err};
use datafusion::execution::TaskContext;
use firesteel_model::ids::TaskAttempt;
use firesteel_shuffle::{MapOutput, ShuffleStore, batch_bytes};
use tokio_util::sync::CancellationToken;

use crate::key_filters::{Keys, KeysId};
use crate::partition::Sample;
use crate::stages::StageNo;

/// Everything that a task finds beside its plan; an extension of the task's session configuration.
#[derive(Debug)]
pub struct TaskEnvironment {
    /// Who runs.
    pub attempt: TaskAttempt,
    /// Where inputs lie and the output goes.
    pub store: Arc<dyn ShuffleStore>,
    /// Committed outputs of the stages it reads, in the order of their tasks.
    pub inputs: HashMap<StageNo, Arc<Vec<MapOutput>>>,
    /// Says when it is to stop.
    pub cancel: CancellationToken,
    /// What it has done so far.
    pub counters: TaskCounters,
    output: Mutex<Option<TaskOutput>>,
    keys: Mutex<BTreeMap<KeysId, Keys>>,
    accumulators: Mutex<Vec<Vec<u8>>>,
}

/// What an attempt leaves behind.
#[derive(Clone, Debug)]
pub struct TaskOutput {
    /// Its rows in the store.
    pub map: MapOutput,
    /// Keys drawn from its rows, where a range exchange needs them.
    pub sample: Option<Sample>,
    /// Keys of its rows, where filters need them.
    pub keys: BTreeMap<KeysId, Keys>,
    /// What its Python functions reported, each a pickled pair of an accumulator's id and its value.
    pub accumulators: Vec<Vec<u8>>,
}

/// Counted while the attempt runs.
#[derive(Debug, Default)]
pub struct TaskCounters {
    rows: AtomicU64,
    bytes: AtomicU64,
}

impl TaskCounters {
    pub(crate) fn add(&self, batch: &RecordBatch) {
        self.rows.fetch_add(batch.num_rows() as u64, Ordering::Relaxed);
        self.bytes.fetch_add(batch_bytes(batch), Ordering::Relaxed);
    }

    /// Rows that came out of its plan.
    pub fn rows(&self) -> u64 {
        self.rows.load(Ordering::Relaxed)
    }

    /// Their size.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }
}

impl TaskEnvironment {
    /// An attempt about to run.
    pub fn new(
        attempt: TaskAttempt,
        store: Arc<dyn ShuffleStore>,
        inputs: HashMap<StageNo, Arc<Vec<MapOutput>>>,
        cancel: CancellationToken,
    ) -> Self {
        Self {
            attempt,
            store,
            inputs,
            cancel,
            counters: TaskCounters::default(),
            output: Mutex::new(None),
            keys: Mutex::default(),
            accumulators: Mutex::default(),
        }
    }

    /// What it left behind, once it is done.
    pub fn take_output(&self) -> Option<TaskOutput> {
        self.output.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    pub(crate) fn take_accumulators(&self) -> Vec<Vec<u8>> {
        std::mem::take(&mut self.accumulators.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn add_accumulators(&self, updates: Vec<Vec<u8>>) {
        self.accumulators.lock().unwrap_or_else(PoisonError::into_inner).extend(updates);
    }

    /// The environment of a running plan.
    pub fn of(context: &TaskContext) -> Result<Arc<Self>> {
        let environment = context.session_config().get_extension::<Self>();
        environment.ok_or_else(|| internal_datafusion_err!("a stage's plan ran outside a task"))
    }

    pub(crate) fn outputs_of(&self, stage: StageNo) -> Result<Arc<Vec<MapOutput>>> {
        let outputs = self.inputs.get(&stage).cloned();
        outputs.ok_or_else(|| internal_datafusion_err!("the outputs of stage {} were not given to the task", stage.0))
    }

    pub(crate) fn add_keys(&self, id: KeysId, keys: Keys) {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner).insert(id, keys);
    }

    pub(crate) fn take_keys(&self) -> BTreeMap<KeysId, Keys> {
        std::mem::take(&mut self.keys.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn finish(&self, output: TaskOutput) {
        *self.output.lock().unwrap_or_else(PoisonError::into_inner) = Some(output);
    }
}
