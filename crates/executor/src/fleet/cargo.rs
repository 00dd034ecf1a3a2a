//! What an attempt needs, made ready to travel: each plan and each list of outputs once.

use std::sync::Arc;

use firesteel_engine::codec::PlanCodec;
use firesteel_engine::stages::StageNo;
use firesteel_model::Result;
use firesteel_model::ids::TaskAttempt;
use firesteel_rpc::{BlobHash, InputRef, Launch};

use super::blobs::BlobStore;
use crate::dispatch::Job;
use crate::wire;

#[derive(Debug)]
pub(super) struct Cargo {
    codec: Arc<PlanCodec>,
    blobs: Arc<BlobStore>,
}

impl Cargo {
    pub(super) fn new(codec: Arc<PlanCodec>, blobs: Arc<BlobStore>) -> Self {
        Self { codec, blobs }
    }

    /// The message that has an executor run the attempt.
    pub(super) fn load(&self, attempt: TaskAttempt, job: &mut Job) -> Result<Launch> {
        let settings = job.options.settings.clone();
        let files = self.files(job);
        let run = job.run_for(attempt)?;
        let no = run.no;
        let partition = run.first_partition + attempt.task.partition.0 as usize;
        let plan = match &run.sent_plan {
            Some(plan) => Arc::clone(plan),
            None => {
                let plan = self.blobs.put(wire::plan_to_bytes(&self.codec, &settings, files, run.template())?);
                run.sent_plan = Some(Arc::clone(&plan));
                plan
            }
        };
        let parents = job.parents_of(no);
        let inputs = parents.into_iter().map(|parent| self.outputs(parent, job)).collect::<Result<_>>()?;
        let to_driver = job.is_for_driver(attempt.task.stage);
        let partition = u32::try_from(partition).unwrap_or(u32::MAX);
        Ok(Launch { attempt, partition, plan: plan.hash, inputs, to_driver })
    }

    fn files(&self, job: &mut Job) -> Option<BlobHash> {
        let parcel = job.options.files.as_ref()?;
        let blob = job.sent_files.get_or_insert_with(|| self.blobs.put(parcel.bytes.to_vec()));
        Some(blob.hash)
    }

    fn outputs(&self, parent: StageNo, job: &mut Job) -> Result<InputRef> {
        let run = job.whole_run(parent)?;
        let outputs = match &run.sent_outputs {
            Some(outputs) => Arc::clone(outputs),
            None => {
                let outputs = run.complete.clone().unwrap_or_default();
                let outputs = self.blobs.put(wire::outputs_to_bytes(&outputs)?);
                run.sent_outputs = Some(Arc::clone(&outputs));
                outputs
            }
        };
        Ok(InputRef { stage: u32::try_from(parent.0).unwrap_or(u32::MAX), outputs: outputs.hash })
    }
}
