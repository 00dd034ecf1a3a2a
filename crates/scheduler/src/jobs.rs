//! One job: where it stands and which stages it has.

use std::collections::BTreeSet;

use firesteel_model::ids::{JobId, StageId};

use crate::events::CancelScope;
use crate::graph::JobSpec;
use crate::pools::PoolId;

#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) id: JobId,
    pub(crate) pool: PoolId,
    pub(crate) adaptive: bool,
    pub(crate) stages: BTreeSet<StageId>,
    /// Stages that are not settled; the job is done when there is none.
    pub(crate) unsettled: usize,
    group: Option<String>,
    tags: Vec<String>,
}

impl Job {
    pub(crate) fn new(spec: &JobSpec, pool: PoolId) -> Self {
        Self {
            id: spec.id,
            pool,
            adaptive: spec.adaptive,
            stages: BTreeSet::new(),
            unsettled: 0,
            group: spec.group.clone(),
            tags: spec.tags.clone(),
        }
    }

    pub(crate) fn is_in(&self, scope: &CancelScope) -> bool {
        match scope {
            CancelScope::Job(id) => self.id == *id,
            CancelScope::Tag(tag) => self.tags.contains(tag),
            CancelScope::Group(group) => self.group.as_ref() == Some(group),
            CancelScope::All => true,
        }
    }
}
