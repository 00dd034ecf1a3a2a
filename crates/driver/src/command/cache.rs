//! CACHE TABLE, UNCACHE TABLE, CLEAR CACHE, REFRESH, and what the catalog API says of caches.

use firesteel_catalog::Relation as Named;
use firesteel_connect::StorageLevel;
use firesteel_model::{Result, error_class};
use firesteel_spec::{Command, Relation, RelationNode};

use super::{view, write};
use crate::cache::parse_level;
use crate::rows::ReadyRows;
use crate::session::DriverSession;

/// What `cache()` means.
pub(crate) const DEFAULT_LEVEL: StorageLevel =
    StorageLevel { use_disk: true, use_memory: true, use_off_heap: false, deserialized: true, replication: 1 };

/// A table or view by name.
pub(super) fn table(name: &[String]) -> Relation {
    let name = name.to_vec();
    Relation::new(RelationNode::Table { name, options: Vec::new(), is_streaming: false, time_travel: None })
}

pub(super) async fn run(session: &DriverSession, command: &Command) -> Result<ReadyRows> {
    match command {
        Command::CacheTable { name, query, is_lazy, options } => {
            let level = match write::option(options, "storageLevel") {
                Some(level) => parse_level(&level)?,
                None => DEFAULT_LEVEL,
            };
            if let Some(query) = query {
                view::create_temporary(session, &name.join("."), query, false).await?;
            }
            session.application().caches.add(session, &table(name), level, !is_lazy).await?;
        }
        Command::UncacheTable { name, if_exists } => uncache(session, name, *if_exists).await?,
        Command::ClearCache => session.application().caches.clear(),
        Command::Refresh { target, is_path: true } => refresh_path(session, &target.concat())?,
        Command::Refresh { target, .. } => refresh(session, target).await?,
        _ => {}
    }
    Ok(ReadyRows::default())
}

/// UNCACHE TABLE. With a stored table or view, the queries that read it go too; a temporary view goes alone.
pub(super) async fn uncache(session: &DriverSession, name: &[String], if_exists: bool) -> Result<()> {
    let caches = &session.application().caches;
    let removed = match session.catalog().relation(name).await {
        Ok(Named::Stored(stored)) => {
            let removed = caches.remove(session, &table(name)).await;
            caches.forget_stored(&stored);
            removed
        }
        Ok(Named::Temporary(_)) => caches.remove(session, &table(name)).await,
        Err(failure) => Err(failure),
    };
    match removed {
        Err(failure) if if_exists && failure.class() == &error_class::TABLE_OR_VIEW_NOT_FOUND => Ok(()),
        removed => removed.map(|_| ()),
    }
}

/// REFRESH TABLE
pub(super) async fn refresh(session: &DriverSession, name: &[String]) -> Result<()> {
    match session.catalog().relation(name).await? {
        Named::Stored(stored) if stored.view.is_none() => refresh_path(session, &stored.location),
        _ => {
            // A view is computed anew, with the files that are there then.
            let level = session.application().caches.level(session, &table(name)).await?;
            if let Some(level) = level {
                session.application().caches.remove(session, &table(name)).await?;
                session.application().caches.add(session, &table(name), level, false).await?;
            }
            Ok(())
        }
    }
}

/// REFRESH "path", and what every write to files ends with.
pub(super) fn refresh_path(session: &DriverSession, path: &str) -> Result<()> {
    let path = session.application().stores.resolve(path)?.show();
    session.application().caches.invalidate(&path);
    Ok(())
}
