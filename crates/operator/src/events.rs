//! Events about resources, for `kubectl describe` and `kubectl get events`.

use std::time::Duration;

use kube::runtime::events::{Event, EventType, Recorder, Reporter};
use kube::{Client, Resource};

use crate::job::observed::Note;

/// An event that takes longer is not worth waiting for.
const LIMIT: Duration = Duration::from_secs(5);
/// The longest text that an event can hold.
const NOTE_LEN_MAX: usize = 1000;

/// The longest action.
const ACTION_LEN_MAX: usize = 100;

/// Publishes events.
pub(crate) struct Events {
    recorder: Recorder,
}

impl Events {
    pub(crate) fn new(client: Client, identity: &str) -> Self {
        let reporter = Reporter { controller: "firesteel-operator".to_owned(), instance: Some(identity.to_owned()) };
        Self { recorder: Recorder::new(client, reporter) }
    }

    /// Tells about a resource. One that cannot be told is lost: nothing depends on events.
    pub(crate) async fn tell<K: Resource<DynamicType = ()>>(&self, resource: &K, note: &Note) {
        let mut text = note.message.clone();
        if text.len() > NOTE_LEN_MAX {
            text.truncate(text.floor_char_boundary(NOTE_LEN_MAX));
        }
        // Events of one action are counted under the words of the first, so that other words need another action.
        let action = text[..text.floor_char_boundary(ACTION_LEN_MAX)].to_owned();
        let event = Event {
            type_: if note.is_warning { EventType::Warning } else { EventType::Normal },
            reason: note.reason.to_owned(),
            note: Some(text),
            action,
            secondary: None,
        };
        let reference = resource.object_ref(&());
        match tokio::time::timeout(LIMIT, self.recorder.publish(&event, &reference)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, reason = note.reason, "an event is lost"),
            Err(_) => tracing::warn!(reason = note.reason, "an event is lost: the API does not answer"),
        }
    }
}
