//! The number of executors that a job asks for, which may change while it runs.

use std::collections::BTreeMap;

use firesteel_k8s::build::executor::{SettingsError, settings};
use firesteel_k8s::pods::Executor;
use firesteel_model::runtime_conf::RuntimeConf;
use tracing::warn;

/// What a job says of its executors, and what was last acted upon.
#[derive(Clone, Debug)]
pub(crate) struct Sizing {
    conf: BTreeMap<String, String>,
    executor: Executor,
    current: BTreeMap<String, String>,
}

impl Sizing {
    /// As the job says when it starts.
    pub(crate) fn new(conf: BTreeMap<String, String>, executor: Executor) -> Result<Self, SettingsError> {
        let current = settings(&executor)?;
        Ok(Self { conf, executor, current })
    }

    /// The settings that follow from what the operator says now, if they are others than before.
    pub(crate) fn change(&mut self, said: &str) -> Option<RuntimeConf> {
        let Executor { count, elastic, .. } = match serde_json::from_str(said) {
            Ok(executor) => executor,
            Err(error) => {
                warn!(%error, said, "what the operator says of executors makes no sense");
                return None;
            }
        };
        if count == Some(0) {
            // Where tasks run is settled when a driver starts.
            warn!("a job that has executors keeps them until its next attempt");
            return None;
        }
        let wanted = settings(&Executor { count, elastic, ..self.executor.clone() }).ok()?;
        if wanted == self.current {
            return None;
        }
        self.current.clone_from(&wanted);
        Some(RuntimeConf::new(self.conf.clone().into_iter().chain(wanted)))
    }
}

#[cfg(test)]
mod tests {
    use firesteel_model::conf;

    use super::*;

    #[test]
    fn only_a_change_is_told() {
        let executor = Executor { count: Some(2), ..Executor::default() };
        let mut sizing = Sizing::new(BTreeMap::new(), executor).unwrap();
        assert!(sizing.change(r#"{"count":2}"#).is_none());
        let more = sizing.change(r#"{"count":5}"#).unwrap();
        assert_eq!(more.int(&conf::EXECUTOR_INSTANCES), 5);
        assert!(sizing.change(r#"{"count":5}"#).is_none());
        let elastic = sizing.change(r#"{"elastic":{"min":1,"max":9,"idle":"60s"}}"#).unwrap();
        assert_eq!(elastic.int(&conf::DYNAMIC_ALLOCATION_MAX_EXECUTORS), 9);
        assert!(sizing.change(r#"{"count":0}"#).is_none());
        assert!(sizing.change("nonsense").is_none());
    }
}
