//! Events about resources, for `kubectl describe` and `kubectl get events`.
//!
//! One that comes again is counted in the event that is there, as long as it is among the last that were told. What is
//! remembered is bounded: thousands of jobs in a minute tell thousands of different events.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::api::events::v1::{Event, EventSeries};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use kube::api::{ObjectMeta, Patch, PatchParams, PostParams};
use kube::{Api, Client, Resource};
use serde_json::json;

use crate::job::observed::Note;

const CONTROLLER: &str = "firesteel-operator";
/// An event that takes longer is not worth waiting for.
const LIMIT: Duration = Duration::from_secs(5);
/// The longest text that an event can hold.
const NOTE_LEN_MAX: usize = 1000;
/// The longest action.
const ACTION_LEN_MAX: usize = 100;
/// Events that are counted when they come again.
const RECENT_MAX: usize = 256;
/// An event that comes again later than this is a new one.
const SERIES_GAP: SignedDuration = SignedDuration::from_mins(6);

/// Publishes events.
pub(crate) struct Events {
    client: Client,
    identity: String,
    recent: Mutex<VecDeque<Recent>>,
}

/// An event that was told not long ago.
struct Recent {
    /// Of the resource, the reason and the words.
    hash: u64,
    name: String,
    count: i32,
    last: Timestamp,
}

impl Events {
    pub(crate) fn new(client: Client, identity: &str) -> Self {
        Self { client, identity: identity.to_owned(), recent: Mutex::default() }
    }

    /// Tells about a resource. One that cannot be told is lost: nothing depends on events.
    pub(crate) async fn tell<K: Resource<DynamicType = ()>>(&self, resource: &K, note: &Note) {
        let regarding = resource.object_ref(&());
        match tokio::time::timeout(LIMIT, self.publish(regarding, note)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, reason = note.reason, "an event is lost"),
            Err(_) => tracing::warn!(reason = note.reason, "an event is lost: the API does not answer"),
        }
    }

    async fn publish(&self, regarding: ObjectReference, note: &Note) -> Result<(), kube::Error> {
        let now = Timestamp::now();
        let namespace = regarding.namespace.clone().unwrap_or_else(|| "default".to_owned());
        let events = Api::<Event>::namespaced(self.client.clone(), &namespace);
        let hash = hash(&regarding, note);
        if let Some((name, count)) = self.again(hash, now) {
            let series = EventSeries { count, last_observed_time: MicroTime(now) };
            let patch = Patch::Merge(json!({ "series": series }));
            match events.patch(&name, &PatchParams::default(), &patch).await {
                // Events are deleted after a while.
                Err(kube::Error::Api(status)) if status.code == 404 => {}
                answer => return answer.map(|_| ()),
            }
        }
        let name = format!("{}.{:x}", regarding.name.as_deref().unwrap_or(CONTROLLER), now.as_nanosecond());
        let event = self.event(&name, &namespace, regarding, note, now);
        events.create(&PostParams::default(), &event).await?;
        self.remember(Recent { hash, name, count: 1, last: now });
        Ok(())
    }

    fn event(&self, name: &str, namespace: &str, regarding: ObjectReference, note: &Note, now: Timestamp) -> Event {
        let cut = |len_max: usize| note.message[..note.message.floor_char_boundary(len_max)].to_owned();
        let metadata =
            ObjectMeta { name: Some(name.to_owned()), namespace: Some(namespace.to_owned()), ..Default::default() };
        Event {
            metadata,
            // Events of one action are counted under the words of the first, so that other words need another action.
            action: Some(cut(ACTION_LEN_MAX)),
            note: Some(cut(NOTE_LEN_MAX)),
            reason: Some(note.reason.to_owned()),
            type_: Some(if note.is_warning { "Warning" } else { "Normal" }.to_owned()),
            event_time: Some(MicroTime(now)),
            regarding: Some(regarding),
            reporting_controller: Some(CONTROLLER.to_owned()),
            reporting_instance: Some(self.identity.clone()),
            ..Event::default()
        }
    }

    /// The name of the event that is there already, and how often it has been told with this time.
    fn again(&self, hash: u64, now: Timestamp) -> Option<(String, i32)> {
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        let found = recent.iter().position(|event| event.hash == hash)?;
        if now.duration_since(recent[found].last) > SERIES_GAP {
            recent.remove(found);
            return None;
        }
        let event = &mut recent[found];
        event.count += 1;
        event.last = now;
        Some((event.name.clone(), event.count))
    }

    fn remember(&self, event: Recent) {
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        recent.retain(|known| known.hash != event.hash);
        recent.push_back(event);
        if recent.len() > RECENT_MAX {
            recent.pop_front();
        }
    }
}

fn hash(regarding: &ObjectReference, note: &Note) -> u64 {
    let mut hasher = DefaultHasher::new();
    (&regarding.uid, &regarding.namespace, &regarding.name, note.reason, &note.message).hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use crate::fake_api_tests::FakeApi;
    use crate::fixtures;

    use super::*;

    #[tokio::test]
    async fn an_event_that_comes_again_is_counted_and_the_memory_of_them_is_bounded() {
        let api = FakeApi::default();
        let events = Events::new(api.client(), "test");
        let job = fixtures::job("{main: {sql: {text: x}}}");
        let note = |message: &str| Note { is_warning: true, reason: "Refused", message: message.to_owned() };
        events.tell(&job, &note("no")).await;
        events.tell(&job, &note("no")).await;
        events.tell(&job, &note("no, really")).await;
        let names = api.names("events");
        assert_eq!(names.len(), 2);
        assert_eq!(api.get("events", &names[0]).unwrap()["series"]["count"], 2);
        assert_eq!(api.get("events", &names[1]).unwrap()["note"], "no, really");
        for index in 0..RECENT_MAX {
            events.tell(&job, &note(&index.to_string())).await;
        }
        assert_eq!(events.recent.lock().unwrap().len(), RECENT_MAX);
        events.tell(&job, &note("no")).await;
        assert_eq!(api.names("events").len(), RECENT_MAX + 3, "the first is forgotten and told anew");
    }
}
