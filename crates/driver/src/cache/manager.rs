//! [`Caches`]: the cached queries of an application.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use datafusion::logical_expr::LogicalPlan;
use firesteel_catalog::{Relation as Named, TableMetadata};
use firesteel_connect::StorageLevel;
use firesteel_model::Result;
use firesteel_planner::CachedPlan;
use firesteel_spec::{Relation, RelationNode};
use tokio::runtime::Handle;

use super::canonical::Canonical;
use super::fragment::Fragment;
use super::key::{context_of, is_written_alike, key_of, key_of_table, meaning_of, resolved};
use super::scan::whole_query;
use crate::planning;
use crate::session::DriverSession;

/// What sessions asked to be cached. All sessions of an application share it.
#[derive(Debug, Default)]
pub(crate) struct Caches {
    entries: Mutex<Vec<Arc<Entry>>>,
}

#[derive(Debug)]
struct Entry {
    key: String,
    relation: Relation,
    level: StorageLevel,
    /// None since something that it read has changed.
    fragment: Mutex<Option<Arc<Fragment>>>,
}

/// What is known of a query.
struct Known {
    /// The query behind the names of views.
    relation: Relation,
    key: String,
    entry: Option<Arc<Entry>>,
}

impl Entry {
    /// Its fragment, resolved anew if it is out of date; on a planning thread.
    fn fragment(&self, session: &DriverSession, handle: &Handle) -> Result<Arc<Fragment>> {
        let mut current = self.fragment.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(fragment) = &*current {
            return Ok(Arc::clone(fragment));
        }
        let fragment = Fragment::resolve(session, handle, &self.relation, &self.key, self.level)?;
        Ok(Arc::clone(current.insert(Arc::new(fragment))))
    }

    /// Its fragment, unless that is being resolved right now.
    fn current(&self) -> Option<Arc<Fragment>> {
        self.fragment.try_lock().ok()?.clone()
    }

    /// Its rows are not those of the query any more.
    fn forget_rows(&self) {
        if let Some(fragment) = self.fragment.lock().unwrap_or_else(PoisonError::into_inner).take() {
            fragment.release();
        }
    }
}

impl Caches {
    /// `persist`: rows are computed when a query needs them first, or now.
    pub(crate) async fn add(
        &self,
        session: &DriverSession,
        relation: &Relation,
        level: StorageLevel,
        is_eager: bool,
    ) -> Result<()> {
        if !level.use_disk && !level.use_memory && !level.use_off_heap {
            return self.remove(session, relation).await.map(|_| ());
        }
        let Known { relation, key, entry } = self.known(session, relation).await?;
        let entry = entry.unwrap_or_else(|| {
            self.forget(&key);
            let entry = Arc::new(Entry { key, relation, level, fragment: Mutex::default() });
            self.locked().push(Arc::clone(&entry));
            entry
        });
        let cached = Arc::clone(&entry);
        let done = planning::on_planning_thread(session, move |session, handle| {
            let fragment = cached.fragment(session, handle)?;
            if is_eager { fragment.build(session, handle) } else { Ok(()) }
        });
        let done = done.await;
        if done.is_err() {
            self.forget(&entry.key);
        }
        done
    }

    /// `unpersist`; false if it was not cached.
    pub(crate) async fn remove(&self, session: &DriverSession, relation: &Relation) -> Result<bool> {
        let Known { key, entry, .. } = self.known(session, relation).await?;
        Ok(self.forget(&key) | entry.is_some_and(|entry| self.forget(&entry.key)))
    }

    /// Where the rows of a query are kept; none if it is not cached.
    pub(crate) async fn level(&self, session: &DriverSession, relation: &Relation) -> Result<Option<StorageLevel>> {
        Ok(self.known(session, relation).await?.entry.map(|entry| entry.level))
    }

    /// A query's key, and the entry that is written so or has the same plan.
    async fn known(&self, session: &DriverSession, relation: &Relation) -> Result<Known> {
        let relation = relation.clone();
        let written = planning::on_planning_thread(session, move |session, handle| {
            let (relation, key) = handle.block_on(resolved(session, &relation))?;
            let caches = &session.application().caches;
            let (key, entry) = match key {
                Some(key) => (key.clone(), caches.with_key(&key)),
                None => caches.written(session, &relation),
            };
            let entry = entry.filter(|entry| handle.block_on(holds(session, entry)));
            Ok(Known { relation, key, entry })
        });
        let known = written.await?;
        if known.entry.is_some() || self.is_empty() {
            return Ok(known);
        }
        // What cannot be resolved, because its files are gone perhaps, is not cached either.
        let planned = planning::analyzed(session, &known.relation).await.ok();
        let whole = planned.and_then(|planned| whole_query(&planned.plan));
        let is_it = |entry: &&Arc<Entry>| match (entry.current(), &whole) {
            (Some(fragment), Some(whole)) => Arc::ptr_eq(&fragment, whole),
            _ => false,
        };
        let entry = self.locked().iter().find(is_it).cloned();
        Ok(Known { entry, ..known })
    }

    /// Forgets a stored table or view, and every query that reads it.
    pub(crate) fn forget_stored(&self, table: &TableMetadata) {
        self.forget(&key_of_table(&table.qualified_name()));
        let meaning = meaning_of(&Named::Stored(Box::new(table.clone())));
        let reads = |entry: &Arc<Entry>| entry.current().is_some_and(|fragment| fragment.dependencies.mean(&meaning));
        let mut entries = self.locked();
        let (gone, left): (Vec<_>, Vec<_>) = std::mem::take(&mut *entries).into_iter().partition(reads);
        *entries = left;
        drop(entries);
        gone.iter().for_each(|entry| entry.forget_rows());
    }

    /// Whether a view that gets another query has to be forgotten first.
    pub(crate) async fn changes(&self, session: &DriverSession, old: Relation, new: Relation) -> Result<bool> {
        if self.is_empty() {
            return Ok(false);
        }
        let compared = move |session: &DriverSession, _: &Handle| Ok(!is_written_alike(session, &old, &new));
        planning::on_planning_thread(session, compared).await
    }

    /// Forgets all.
    pub(crate) fn clear(&self) {
        let entries = std::mem::take(&mut *self.locked());
        entries.iter().for_each(|entry| entry.forget_rows());
    }

    /// Something below a path has changed: what was read of it is read again when it is needed next.
    pub(crate) fn invalidate(&self, path: &str) {
        let entries = self.locked().clone();
        let changed = |entry: &&Arc<Entry>| entry.current().is_some_and(|fragment| fragment.dependencies.touch(path));
        entries.iter().filter(changed).for_each(|entry| entry.forget_rows());
    }

    /// A query's rows in place of the query itself; on a planning thread. `except` is being resolved itself.
    pub(crate) fn find(
        &self,
        session: &DriverSession,
        handle: &Handle,
        relation: &Relation,
        except: Option<&str>,
    ) -> Result<Option<Arc<Fragment>>> {
        // A name or a text stands for another relation, which is asked for by itself.
        if matches!(*relation.node, RelationNode::Table { .. } | RelationNode::Sql { .. }) || !self.has_like(relation) {
            return Ok(None);
        }
        let (_, entry) = self.written(session, relation);
        entry.map_or(Ok(None), |entry| usable(session, handle, &entry, except))
    }

    /// The same for a stored table.
    pub(crate) fn find_table(
        &self,
        session: &DriverSession,
        handle: &Handle,
        name: &[String],
        except: Option<&str>,
    ) -> Result<Option<Arc<Fragment>>> {
        if self.is_empty() {
            return Ok(None);
        }
        self.with_key(&key_of_table(name)).map_or(Ok(None), |entry| usable(session, handle, &entry, except))
    }

    /// The same for a resolved plan.
    pub(crate) fn find_plan(
        &self,
        session: &DriverSession,
        handle: &Handle,
        plan: &LogicalPlan,
        except: Option<&str>,
    ) -> Option<(Arc<Fragment>, CachedPlan)> {
        let mut candidates = self.locked().clone();
        candidates.retain(|entry| {
            except != Some(entry.key.as_str()) && entry.current().is_some_and(|fragment| fragment.may_be(plan))
        });
        if candidates.is_empty() {
            return None;
        }
        let canonical = Canonical::of(plan)?;
        let names: Vec<String> = plan.schema().fields().iter().map(|field| field.name().clone()).collect();
        candidates.into_iter().find_map(|entry| {
            let fragment = entry.current()?;
            let found = fragment.in_place_of(&canonical, &names)?;
            handle.block_on(holds(session, &entry)).then_some((fragment, found))
        })
    }

    /// A query's key, and the entry that has it. A client that goes on with the frame it cached sends the same query, ids
    /// of frames included: those are found without their key, which takes longer the longer the query is.
    fn written(&self, session: &DriverSession, relation: &Relation) -> (String, Option<Arc<Entry>>) {
        let context = context_of(session);
        let is_it = |entry: &&Arc<Entry>| entry.key.starts_with(&context) && entry.relation == *relation;
        let found = self.locked().iter().find(is_it).cloned();
        if let Some(entry) = found {
            return (entry.key.clone(), Some(entry));
        }
        let key = key_of(session, relation);
        let entry = self.with_key(&key);
        (key, entry)
    }

    fn with_key(&self, key: &str) -> Option<Arc<Entry>> {
        self.locked().iter().find(|entry| entry.key == key).cloned()
    }

    fn forget(&self, key: &str) -> bool {
        let mut entries = self.locked();
        let Some(at) = entries.iter().position(|entry| entry.key == key) else { return false };
        let entry = entries.remove(at);
        drop(entries);
        entry.forget_rows();
        true
    }

    fn is_empty(&self) -> bool {
        self.locked().is_empty()
    }

    /// Whether a relation with the same nodes is cached at all: a key says all of a relation, and each relation within a
    /// query is asked for.
    fn has_like(&self, relation: &Relation) -> bool {
        self.locked().iter().any(|entry| entry.relation.has_nodes_of(relation))
    }

    fn locked(&self) -> MutexGuard<'_, Vec<Arc<Entry>>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An entry's fragment, unless it is the one that is being resolved or means something else by now.
fn usable(
    session: &DriverSession,
    handle: &Handle,
    entry: &Entry,
    except: Option<&str>,
) -> Result<Option<Arc<Fragment>>> {
    if except == Some(entry.key.as_str()) || !handle.block_on(holds(session, entry)) {
        return Ok(None);
    }
    entry.fragment(session, handle).map(Some)
}

/// Whether the names in a cached query mean in this session what they meant when it was cached.
async fn holds(session: &DriverSession, entry: &Entry) -> bool {
    match entry.current() {
        Some(fragment) => fragment.dependencies.hold(session).await,
        None => true,
    }
}
