//! A Kubernetes API in memory, behind the real client: versions, conflicts, trials, owners' labels, and faults.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard};

use bytes::Bytes;
use http::{Method, Request, Response};
use kube::Client;
use kube::client::Body;
use serde_json::{Value, json};

/// What happens to the request at which the operator dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It never arrives.
    Lost,
    /// It is done, but the answer never arrives.
    Unanswered,
}

#[derive(Default)]
pub(crate) struct State {
    /// Objects by plural and name; one namespace is enough.
    objects: BTreeMap<(String, String), Value>,
    version: u64,
    requests: usize,
    fault: Option<(usize, Fault)>,
    /// Names of all pods that were ever made.
    pub(crate) pods_made: Vec<String>,
    /// Answer to the creation of pods, in place of making them.
    pub(crate) pods_refused: Option<(u16, &'static str)>,
}

/// The API; clones share it.
#[derive(Clone, Default)]
pub(crate) struct FakeApi(Arc<Mutex<State>>);

impl FakeApi {
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    pub(crate) fn client(&self) -> Client {
        let api = self.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let api = api.clone();
            async move { Ok::<_, Infallible>(api.answer(request).await) }
        });
        Client::new(service, "default")
    }

    /// The request with this number, counted from the first, meets a fault.
    pub(crate) fn fault_at(&self, request: usize, fault: Fault) {
        self.state().fault = Some((request, fault));
    }

    pub(crate) fn requests(&self) -> usize {
        self.state().requests
    }

    pub(crate) fn put(&self, plural: &str, object: Value) {
        let name = object["metadata"]["name"].as_str().unwrap().to_owned();
        self.state().store(plural, &name, object);
    }

    pub(crate) fn get(&self, plural: &str, name: &str) -> Option<Value> {
        self.state().objects.get(&(plural.to_owned(), name.to_owned())).cloned()
    }

    pub(crate) fn remove(&self, plural: &str, name: &str) {
        self.state().objects.remove(&(plural.to_owned(), name.to_owned()));
    }

    pub(crate) fn names(&self, plural: &str) -> Vec<String> {
        self.state().objects.keys().filter(|(kind, _)| kind == plural).map(|(_, name)| name.clone()).collect()
    }

    async fn answer(&self, request: Request<Body>) -> Response<Body> {
        let (parts, body) = request.into_parts();
        let body: Bytes = body.collect_bytes().await.unwrap();
        let body: Value = if body.is_empty() { Value::Null } else { serde_json::from_slice(&body).unwrap() };
        let mut state = self.state();
        let number = state.requests;
        state.requests += 1;
        let fault = state.fault.filter(|(at, _)| *at == number).map(|(_, fault)| fault);
        if fault == Some(Fault::Lost) {
            return failure(500, "InternalError");
        }
        let content = parts.headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
        let is_apply = content.contains("apply-patch");
        let answer = state.act(&parts.method, parts.uri.path(), parts.uri.query().unwrap_or_default(), body, is_apply);
        if fault == Some(Fault::Unanswered) { failure(500, "InternalError") } else { answer }
    }
}

fn failure(code: u16, reason: &str) -> Response<Body> {
    let status = json!({ "kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason, "message": reason });
    respond(code, &status)
}

fn respond(code: u16, body: &Value) -> Response<Body> {
    Response::builder().status(code).body(Body::from(body.to_string().into_bytes())).unwrap()
}

/// Fields of `over` in place of those of `base`; null takes a field away.
fn merge(base: &mut Value, over: &Value) {
    let Value::Object(over) = over else {
        *base = over.clone();
        return;
    };
    if !base.is_object() {
        *base = json!({});
    }
    for (key, value) in over {
        match value {
            Value::Null => drop(base.as_object_mut().unwrap().remove(key)),
            value => merge(&mut base[key], value),
        }
    }
}

impl State {
    fn store(&mut self, plural: &str, name: &str, mut object: Value) -> Value {
        self.version += 1;
        object["metadata"]["resourceVersion"] = json!(self.version.to_string());
        if object["metadata"]["uid"].is_null() {
            object["metadata"]["uid"] = json!(format!("uid-{}", self.version));
        }
        self.objects.insert((plural.to_owned(), name.to_owned()), object.clone());
        object
    }

    fn act(&mut self, method: &Method, path: &str, query: &str, body: Value, is_apply: bool) -> Response<Body> {
        let parts: Vec<&str> = path.split('/').skip_while(|part| *part != "namespaces").skip(2).collect();
        let Some(plural) = parts.first().copied() else { return self.review(path) };
        let Some(name) = parts.get(1).copied() else {
            return if *method == Method::POST {
                self.create(plural, query, body)
            } else {
                self.all(method, plural, query)
            };
        };
        let is_status = parts.get(2) == Some(&"status");
        let Some(current) = self.objects.get(&(plural.to_owned(), name.to_owned())).cloned() else {
            if is_apply {
                return respond(201, &self.store(plural, name, body));
            }
            return failure(404, "NotFound");
        };
        match *method {
            Method::GET => respond(200, &current),
            Method::PUT | Method::PATCH => self.change(plural, name, current, &body, *method == Method::PUT, is_status),
            Method::DELETE => {
                let uid = &body["preconditions"]["uid"];
                if !uid.is_null() && *uid != current["metadata"]["uid"] {
                    return failure(409, "Conflict");
                }
                self.objects.remove(&(plural.to_owned(), name.to_owned()));
                respond(200, &current)
            }
            _ => failure(405, "MethodNotAllowed"),
        }
    }

    fn review(&self, path: &str) -> Response<Body> {
        assert!(path.ends_with("selfsubjectaccessreviews"), "{path}");
        respond(201, &json!({ "metadata": {}, "spec": {}, "status": { "allowed": true } }))
    }

    fn change(
        &mut self,
        plural: &str,
        name: &str,
        current: Value,
        body: &Value,
        whole: bool,
        status: bool,
    ) -> Response<Body> {
        let wanted = &body["metadata"]["resourceVersion"];
        if !wanted.is_null() && *wanted != current["metadata"]["resourceVersion"] {
            return failure(409, "Conflict");
        }
        let mut changed = current.clone();
        match (whole, status) {
            (true, true) => changed["status"] = body["status"].clone(),
            (true, false) => changed = body.clone(),
            (false, _) => merge(&mut changed, body),
        }
        if changed == current {
            return respond(200, &current);
        }
        respond(200, &self.store(plural, name, changed))
    }

    fn create(&mut self, plural: &str, query: &str, mut body: Value) -> Response<Body> {
        let name = body["metadata"]["name"].as_str().unwrap_or("unnamed").to_owned();
        if plural == "pods"
            && let Some((code, reason)) = self.pods_refused
        {
            return failure(code, reason);
        }
        if self.objects.contains_key(&(plural.to_owned(), name.clone())) {
            return failure(409, "AlreadyExists");
        }
        if query.contains("dryRun=All") {
            return respond(201, &body);
        }
        if plural == "pods" {
            self.pods_made.push(name.clone());
            body["status"] = json!({ "phase": "Pending" });
        }
        respond(201, &self.store(plural, &name, body))
    }

    fn all(&mut self, method: &Method, plural: &str, query: &str) -> Response<Body> {
        let selector = query.split('&').find_map(|part| part.strip_prefix("labelSelector="));
        let selector = selector.map(|text| text.replace("%2F", "/").replace("%3D", "="));
        let label = selector.as_deref().and_then(|text| text.split_once('='));
        // Of fields, only the reason of an event and a name are looked at.
        let reason = query.split("reason%3D").nth(1).map(|text| text.split(['&', '%']).next().unwrap_or_default());
        let name = query.split("metadata.name%3D").nth(1).map(|text| text.split('&').next().unwrap_or_default());
        let is_selected = |object: &Value| {
            let has_label = label.is_none_or(|(key, value)| object["metadata"]["labels"][key] == value);
            let has_name = name.is_none_or(|name| object["metadata"]["name"] == name);
            has_label && has_name && reason.is_none_or(|reason| object["reason"] == reason)
        };
        let found: Vec<Value> = self
            .objects
            .iter()
            .filter(|((kind, _), object)| kind == plural && is_selected(object))
            .map(|(_, object)| object.clone())
            .collect();
        if *method == Method::DELETE {
            self.objects.retain(|(kind, _), object| kind != plural || !is_selected(object));
        }
        respond(200, &json!({ "apiVersion": "v1", "kind": "List", "metadata": {}, "items": found }))
    }
}
