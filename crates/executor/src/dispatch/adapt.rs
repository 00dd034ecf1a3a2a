//! What happens between stages: subquery values, plans for real sizes, further parts of a limited result, clean-up.

use std::sync::Arc;

use datafusion::common::ScalarValue;
use firesteel_engine::error::spark_error;
use firesteel_engine::stages::{ResultLimit, StageNo, SubqueryLink};
use firesteel_model::error_class::SCALAR_SUBQUERY_TOO_MANY_ROWS;
use firesteel_model::ids::{JobId, StageId};
use firesteel_model::{Result, SparkError};
use firesteel_scheduler::{CancelScope, Event, Replan, StageSpec};
use firesteel_shuffle::ShuffleStore;
use futures::TryStreamExt;

use super::Dispatcher;
use super::job::Job;
use super::stage::StageRun;
use crate::progress::ProgressEvent;

/// How many times as many partitions the next part of a limited result tries, at most.
const SCALE_UP: usize = 4;

impl Dispatcher {
    pub(super) async fn completed(&mut self, id: JobId, stage: StageId, awaits_replan: bool) -> Vec<Event> {
        let store = Arc::clone(self.stores.results());
        let Some(job) = self.jobs.get_mut(&id) else { return Vec::new() };
        let Some(run) = job.stage_mut(stage) else { return Vec::new() };
        run.completed();
        let no = run.no;
        job.tell(ProgressEvent::StageCompleted(stage));
        if !awaits_replan {
            return Vec::new();
        }
        let mut replan = Replan { job: id, completed: stage, remove: Vec::new(), add: Vec::new() };
        let result = match job.set_subqueries(no, store.as_ref()).await {
            Ok(()) => job.adapt_consumers(no, &mut replan).and_then(|()| job.next_part(stage, &mut replan)),
            Err(error) => Err(error),
        };
        if let Err(error) = result {
            job.error = Some(error);
            return vec![Event::Cancelled(CancelScope::Job(id))];
        }
        let unneeded = job.forget_inputs(no);
        self.stage_jobs.extend(replan.add.iter().map(|spec| (spec.id, id)));
        self.forget_outputs(unneeded).await;
        vec![Event::StageReplanned(replan)]
    }
}

impl Job {
    /// Gives expressions the values of the subqueries that a stage computed.
    async fn set_subqueries(&self, no: StageNo, store: &dyn ShuffleStore) -> Result<()> {
        for link in self.graph.subqueries.iter().filter(|link| link.stage == no) {
            let value = self.subquery_value(link, store).await?;
            // A plan that ran before has the same value already.
            if link.results.get(link.index).is_none() {
                link.results.set(link.index, value).map_err(spark_error)?;
            }
        }
        Ok(())
    }

    async fn subquery_value(&self, link: &SubqueryLink, store: &dyn ShuffleStore) -> Result<ScalarValue> {
        let mut value = None;
        let run = self.id_of(link.stage).and_then(|id| self.stage(id));
        let schema = self.graph.stages.get(link.stage.0).map(|stage| stage.plan.schema());
        if let Some((run, schema)) = run.zip(schema.as_ref()) {
            let mut rows = store.read(schema, run.outputs().cloned().collect());
            while let Some(batch) = rows.try_next().await.map_err(SparkError::from)? {
                for row in 0..batch.num_rows() {
                    let found = ScalarValue::try_from_array(batch.column(0), row).map_err(spark_error)?;
                    if value.replace(found).is_some() {
                        return Err(SparkError::new(&SCALAR_SUBQUERY_TOO_MANY_ROWS));
                    }
                }
            }
        }
        let null = || {
            let kind = schema.and_then(|schema| schema.fields().first().map(|field| field.data_type().clone()));
            ScalarValue::try_from(&kind.unwrap_or(arrow::datatypes::DataType::Null)).map_err(spark_error)
        };
        value.map_or_else(null, Ok)
    }

    /// Plans those consumers anew that have all their inputs now.
    fn adapt_consumers(&mut self, completed: StageNo, replan: &mut Replan) -> Result<()> {
        let ready: Vec<StageNo> = self
            .graph
            .stages
            .iter()
            .filter(|stage| stage.parents.contains(&completed) && stage.parents.iter().all(|no| self.is_complete(*no)))
            .map(|stage| stage.no)
            .collect();
        for no in ready {
            let Some(stage) = self.graph.stages.get(no.0) else { continue };
            let planned = self.id_of(no).and_then(|id| self.stage(id)).map_or(0, StageRun::tasks);
            let adapted = stage.adapt(self, &self.options.settings.adaptive).map_err(spark_error)?;
            if let Some(stage) = self.graph.stages.get_mut(no.0) {
                *stage = adapted;
            }
            self.prepare(no);
            if let Some(spec) = self.stage_spec(no).filter(|spec| spec.tasks as usize != planned) {
                replan.remove.push(spec.id);
                replan.add.push(spec);
            }
        }
        Ok(())
    }

    fn is_complete(&self, no: StageNo) -> bool {
        self.id_of(no).and_then(|id| self.stage(id)).is_some_and(|run| run.complete.is_some())
    }

    /// A limited result that is still short of rows gets a part more.
    fn next_part(&mut self, completed: StageId, replan: &mut Replan) -> Result<()> {
        let (Some(limit), Some(result)) = (self.graph.limit, self.graph.result()) else { return Ok(()) };
        if self.stage(completed).is_none_or(|run| run.no != result.no) {
            return Ok(());
        }
        let parts: Vec<&StageRun> = self.runs.values().filter(|run| run.no == result.no).collect();
        let tried: usize = parts.iter().map(|run| run.tasks()).sum();
        let rows: u64 = parts.iter().map(|run| run.rows()).sum();
        let tasks = next_tasks(limit, tried, rows, result.tasks());
        if tasks == 0 {
            return Ok(());
        }
        let part = parts.len();
        let too_many = || SparkError::internal("a limited result has too many parts");
        let id = self.part_id(part).ok_or_else(too_many)?;
        let run = StageRun::new(result, tried, tasks);
        let parents = result.parents.iter().filter_map(|parent| self.id_of(*parent)).collect();
        replan.add.push(StageSpec::new(id, u32::try_from(tasks).unwrap_or(u32::MAX), parents));
        self.runs.insert(id, run);
        Ok(())
    }

    /// Inputs of a completed stage that nobody else will read.
    fn forget_inputs(&mut self, completed: StageNo) -> Vec<StageId> {
        if self.is_result(completed) && self.graph.limit.is_some() {
            // Another part may read them; the end of the job will do.
            return Vec::new();
        }
        let parents = self.graph.stages.get(completed.0).map(|stage| stage.parents.clone()).unwrap_or_default();
        let done = |parent: &StageNo| {
            let mut consumers = self.graph.stages.iter().filter(|stage| stage.parents.contains(parent));
            consumers.all(|stage| self.is_complete(stage.no))
        };
        let parents: Vec<StageId> =
            parents.iter().filter(|parent| done(parent)).filter_map(|no| self.id_of(*no)).collect();
        for parent in &parents {
            if let Some(run) = self.runs.get_mut(parent) {
                run.forgotten = true;
            }
        }
        parents
    }
}

/// How many more partitions to compute for a limit, from the rows that those so far gave.
fn next_tasks(limit: ResultLimit, tried: usize, rows: u64, partitions: usize) -> usize {
    let wanted = limit.skip.saturating_add(limit.fetch) as u64;
    let left = wanted.saturating_sub(rows);
    if left == 0 {
        return 0;
    }
    let most = tried.max(1).saturating_mul(SCALE_UP);
    let estimated = match rows {
        0 => most,
        rows => usize::try_from((left * tried as u64 * 3).div_ceil(rows * 2)).unwrap_or(usize::MAX).clamp(1, most),
    };
    estimated.min(partitions.saturating_sub(tried))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_grow_until_there_are_enough_rows() {
        let limit = ResultLimit { skip: 1, fetch: 9 };
        assert_eq!(next_tasks(limit, 1, 10, 100), 0);
        assert_eq!(next_tasks(limit, 1, 0, 100), 4);
        assert_eq!(next_tasks(limit, 5, 0, 100), 20);
        assert_eq!(next_tasks(limit, 1, 5, 100), 2);
        assert_eq!(next_tasks(limit, 95, 0, 100), 5);
        assert_eq!(next_tasks(limit, 100, 3, 100), 0);
    }
}
