//! [`SessionManager`]: finds, opens, clones, closes and expires sessions.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use firesteel_model::runtime_conf::RuntimeConf;
use firesteel_model::{ErrorClass, Result, SparkError, conf, error_class};
use tokio::sync::OnceCell;
use uuid::Uuid;

use super::holder::SessionHolder;
use crate::artifact::ArtifactStore;
use crate::engine::{Engine, SessionKey, SessionSeed};
use crate::operation::OperationRegistry;

/// Sessions open at once at most.
const SESSIONS_MAX: usize = 1000;

type Slot = Arc<OnceCell<Arc<SessionHolder>>>;

/// See the module.
pub(crate) struct SessionManager {
    engine: Arc<dyn Engine>,
    settings: Arc<RuntimeConf>,
    directory: PathBuf,
    sessions: Mutex<Sessions>,
}

impl fmt::Debug for SessionManager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionManager").field("open", &self.count()).finish_non_exhaustive()
    }
}

#[derive(Default)]
struct Sessions {
    open: HashMap<SessionKey, Slot>,
    closed: VecDeque<SessionKey>,
}

impl SessionManager {
    /// A manager without sessions, which keeps artifacts below a directory.
    pub(crate) fn new(engine: Arc<dyn Engine>, settings: Arc<RuntimeConf>, directory: PathBuf) -> Self {
        Self { engine, settings, directory, sessions: Mutex::default() }
    }

    /// The session, opened if need be.
    ///
    /// Errors: `INVALID_HANDLE.FORMAT`, `.SESSION_CLOSED`, `.SESSION_CHANGED`, and what the engine says.
    pub(crate) async fn open(&self, key: &SessionKey, observed: Option<&str>) -> Result<Arc<SessionHolder>> {
        if Uuid::parse_str(&key.session_id).is_err() {
            return Err(handle_error(&error_class::INVALID_HANDLE_FORMAT, key));
        }
        let slot = self.slot(key)?;
        let opened = slot.get_or_try_init(|| self.open_new(key, SessionSeed::New, None)).await;
        match opened {
            Ok(holder) => check_observed(holder, observed),
            Err(error) => {
                self.drop_empty(key, &slot);
                Err(error)
            }
        }
    }

    /// The session, which must be open.
    ///
    /// Errors: `INVALID_HANDLE.SESSION_NOT_FOUND`, `.SESSION_CLOSED`, `.SESSION_CHANGED`.
    pub(crate) fn get(&self, key: &SessionKey, observed: Option<&str>) -> Result<Arc<SessionHolder>> {
        let sessions = self.lock();
        match sessions.open.get(key).and_then(|slot| slot.get()) {
            Some(holder) => check_observed(holder, observed),
            None if sessions.closed.contains(key) => {
                Err(handle_error(&error_class::INVALID_HANDLE_SESSION_CLOSED, key))
            }
            None => Err(handle_error(&error_class::INVALID_HANDLE_SESSION_NOT_FOUND, key)),
        }
    }

    /// A new session that starts as a copy of another.
    pub(crate) async fn clone_session(
        &self,
        source: &Arc<SessionHolder>,
        new_session_id: Option<String>,
    ) -> Result<Arc<SessionHolder>> {
        let session_id = new_session_id.unwrap_or_else(|| Uuid::new_v4().to_string());
        let key = SessionKey { user_id: source.key.user_id.clone(), session_id };
        let refuse = |class| Err(SparkError::new(class).param("targetSessionId", key.session_id.clone()));
        if Uuid::parse_str(&key.session_id).is_err() {
            return refuse(&error_class::INVALID_CLONE_SESSION_REQUEST_INVALID_TARGET_SESSION_ID);
        }
        let slot = {
            let mut sessions = self.lock();
            if sessions.open.contains_key(&key) {
                return refuse(&error_class::INVALID_CLONE_SESSION_REQUEST_TARGET_SESSION_ID_ALREADY_EXISTS);
            }
            if sessions.closed.contains(&key) {
                return refuse(&error_class::INVALID_CLONE_SESSION_REQUEST_TARGET_SESSION_ID_ALREADY_CLOSED);
            }
            sessions.add(&key)?
        };
        let seed = SessionSeed::CloneOf(source.session.clone());
        let opened = slot.get_or_try_init(|| self.open_new(&key, seed, Some(source.artifacts.clone()))).await.cloned();
        if opened.is_err() {
            self.drop_empty(&key, &slot);
        }
        opened
    }

    /// Closes a session; `None` where it was not open. Its id is not used again unless `allow_reconnect`.
    pub(crate) async fn close(&self, key: &SessionKey, allow_reconnect: bool) -> Option<Arc<SessionHolder>> {
        let slot = {
            let mut sessions = self.lock();
            let slot = sessions.open.remove(key);
            if !allow_reconnect {
                sessions.bury(key.clone(), self.tombstones_max());
            }
            slot
        };
        let holder = slot?.get().cloned()?;
        holder.close().await;
        Some(holder)
    }

    /// Closes sessions that nobody has used for long, and gives up operations without client.
    pub(crate) async fn maintain(&self) {
        let detached_ms = self.settings.time_ms(&conf::CONNECT_EXECUTE_MANAGER_DETACHED_TIMEOUT);
        let session_ms = self.settings.time_ms(&conf::CONNECT_SESSION_MANAGER_DEFAULT_SESSION_TIMEOUT);
        for holder in self.all() {
            let given_up = holder.operations.give_up_abandoned(Duration::from_millis(detached_ms));
            if given_up > 0 {
                tracing::info!(session = holder.key.session_id, given_up, "gave up operations without client");
            }
            if holder.is_idle(Duration::from_millis(session_ms)) {
                tracing::info!(session = holder.key.session_id, "closing an unused session");
                self.close(&holder.key, false).await;
            }
        }
    }

    /// Sessions that are open.
    pub(crate) fn count(&self) -> usize {
        self.lock().open.len()
    }

    /// Closes all sessions.
    pub(crate) async fn close_all(&self) {
        for holder in self.all() {
            self.close(&holder.key, false).await;
        }
    }

    fn all(&self) -> Vec<Arc<SessionHolder>> {
        self.lock().open.values().filter_map(|slot| slot.get().cloned()).collect()
    }

    fn slot(&self, key: &SessionKey) -> Result<Slot> {
        let mut sessions = self.lock();
        if let Some(slot) = sessions.open.get(key) {
            return Ok(slot.clone());
        }
        if sessions.closed.contains(key) {
            return Err(handle_error(&error_class::INVALID_HANDLE_SESSION_CLOSED, key));
        }
        sessions.add(key)
    }

    async fn open_new(
        &self,
        key: &SessionKey,
        seed: SessionSeed,
        artifacts_of: Option<Arc<ArtifactStore>>,
    ) -> Result<Arc<SessionHolder>> {
        let directory = self.directory.clone();
        let artifacts = tokio::task::spawn_blocking(move || match artifacts_of {
            Some(store) => store.fork(&directory),
            None => ArtifactStore::new(&directory),
        });
        let artifacts = artifacts.await.map_err(|error| SparkError::internal(error.to_string()))?;
        let artifacts = Arc::new(artifacts?);
        let session = self.engine.open_session(key, seed, artifacts.clone()).await?;
        let gone_max = self.settings.int(&conf::CONNECT_EXECUTE_MANAGER_ABANDONED_TOMBSTONES_SIZE);
        let operations = OperationRegistry::new(usize::try_from(gone_max).unwrap_or(0));
        tracing::info!(user = key.user_id, session = key.session_id, "opened a session");
        Ok(Arc::new(SessionHolder::new(key.clone(), session, artifacts, operations)))
    }

    /// Takes back the place of a session that could not be opened.
    fn drop_empty(&self, key: &SessionKey, slot: &Slot) {
        let mut sessions = self.lock();
        if sessions.open.get(key).is_some_and(|held| Arc::ptr_eq(held, slot) && !held.initialized()) {
            sessions.open.remove(key);
        }
    }

    fn tombstones_max(&self) -> usize {
        let max = self.settings.int(&conf::CONNECT_SESSION_MANAGER_CLOSED_SESSIONS_TOMBSTONES_SIZE);
        usize::try_from(max).unwrap_or(0)
    }

    fn lock(&self) -> MutexGuard<'_, Sessions> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sessions {
    fn add(&mut self, key: &SessionKey) -> Result<Slot> {
        if self.open.len() >= SESSIONS_MAX {
            return Err(SparkError::new(&error_class::FIRESTEEL_LIMIT_EXCEEDED)
                .param("what", "open sessions")
                .param("limit", SESSIONS_MAX.to_string()));
        }
        let slot = Slot::default();
        self.open.insert(key.clone(), slot.clone());
        Ok(slot)
    }

    fn bury(&mut self, key: SessionKey, max: usize) {
        if !self.closed.contains(&key) {
            while self.closed.len() >= max.max(1) {
                self.closed.pop_front();
            }
            self.closed.push_back(key);
        }
    }
}

fn check_observed(holder: &Arc<SessionHolder>, observed: Option<&str>) -> Result<Arc<SessionHolder>> {
    if observed.is_some_and(|observed| !observed.is_empty() && observed != holder.server_side_id) {
        return Err(handle_error(&error_class::INVALID_HANDLE_SESSION_CHANGED, &holder.key));
    }
    holder.touch();
    Ok(holder.clone())
}

fn handle_error(class: &'static ErrorClass, key: &SessionKey) -> SparkError {
    SparkError::new(class).param("handle", key.session_id.clone())
}
