//! When two queries are the same: equal as written, under equal settings, with equal meanings of their names.

use std::collections::{BTreeSet, HashMap};
use std::fmt::Debug;

use firesteel_catalog::{Relation as Named, TableMetadata, ViewSource};
use firesteel_model::{Result, SparkError, conf};
use firesteel_spec::{Plan, Relation, RelationNode};

use crate::session::DriverSession;

/// Settings that change what a query means.
const SETTINGS: [&conf::ConfKey; 8] = [
    &conf::ANSI_ENABLED,
    &conf::ANSI_DOUBLE_QUOTED_IDENTIFIERS,
    &conf::SESSION_TIME_ZONE,
    &conf::CASE_SENSITIVE,
    &conf::TIMESTAMP_TYPE,
    &conf::MAP_KEY_DEDUP_POLICY,
    &conf::DECIMAL_OPERATIONS_ALLOW_PRECISION_LOSS,
    &conf::SOURCES_DEFAULT,
];

/// What a query read when it was planned, each once however often queries within it read it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Dependencies {
    /// Names of tables and views, and what they stood for.
    pub(crate) names: BTreeSet<(Vec<String>, String)>,
    /// Names of functions, and what they stood for if the user had given them a meaning.
    pub(crate) functions: BTreeSet<(Vec<String>, Option<String>)>,
    /// The same for data sources.
    pub(crate) sources: BTreeSet<(String, Option<String>)>,
    /// The same for variables.
    pub(crate) variables: BTreeSet<(Vec<String>, Option<String>)>,
    /// Files and directories, as URLs.
    pub(crate) paths: BTreeSet<String>,
}

impl Dependencies {
    /// Adds what another query read.
    pub(crate) fn extend(&mut self, other: &Self) {
        self.names.extend(other.names.iter().cloned());
        self.functions.extend(other.functions.iter().cloned());
        self.sources.extend(other.sources.iter().cloned());
        self.variables.extend(other.variables.iter().cloned());
        self.paths.extend(other.paths.iter().cloned());
    }

    /// Whether the names still stand for the same.
    pub(super) async fn hold(&self, session: &DriverSession) -> bool {
        for (name, meaning) in &self.names {
            let now = session.catalog().relation(name).await.ok();
            if now.is_none_or(|now| meaning_of(&now) != *meaning) {
                return false;
            }
        }
        let catalog = session.catalog();
        let same = |known: &Option<String>, now: Option<String>| *known == now;
        self.functions.iter().all(|(name, known)| same(known, shown(catalog.function(name))))
            && self.sources.iter().all(|(name, known)| same(known, shown(catalog.source(name))))
            && self.variables.iter().all(|(name, known)| same(known, shown(catalog.variable(name))))
    }

    /// Whether a name stood for this.
    pub(super) fn mean(&self, meaning: &str) -> bool {
        self.names.iter().any(|(_, known)| known == meaning)
    }

    /// Whether something below a path, or the path's own directory, was read.
    pub(super) fn touch(&self, path: &str) -> bool {
        let within = |inner: &str, outer: &str| {
            let (inner, outer) = (inner.trim_end_matches('/'), outer.trim_end_matches('/'));
            inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        self.paths.iter().any(|read| within(read, path) || within(path, read))
    }
}

/// A function or a variable, as text.
pub(crate) fn shown<T: Debug>(meaning: Option<T>) -> Option<String> {
    meaning.map(|meaning| format!("{meaning:?}"))
}

/// What a name stands for, as text.
pub(crate) fn meaning_of(named: &Named) -> String {
    match named {
        Named::Temporary(view) => {
            let ViewSource::Query(query) = &view.source;
            format!("view {:?} {}", view.columns, normalised(query))
        }
        // Whatever is said of it: columns, options, where its files are.
        Named::Stored(table) => format!("{table:?}"),
    }
}

/// A query's key.
pub(crate) fn key_of(session: &DriverSession, relation: &Relation) -> String {
    context_of(session) + &normalised(relation)
}

/// What the keys of a session's queries begin with: what else says what they mean.
pub(super) fn context_of(session: &DriverSession) -> String {
    let settings: Vec<String> = SETTINGS.iter().map(|key| session.settings().text(key)).collect();
    let (user, schema) = (session.user(), session.catalog().current_schema());
    format!("{user} {schema} {} ", settings.join(" "))
}

/// Whether two queries are equal as written.
pub(crate) fn is_written_alike(session: &DriverSession, left: &Relation, right: &Relation) -> bool {
    key_of(session, left) == key_of(session, right)
}

/// A table's key.
pub(crate) fn key_of_table(name: &[String]) -> String {
    format!("table {}", name.join(".").to_lowercase())
}

/// The query behind the names of views and SQL texts, and its key if it is a stored table.
pub(crate) async fn resolved(session: &DriverSession, relation: &Relation) -> Result<(Relation, Option<String>)> {
    let mut relation = relation.clone();
    loop {
        let next = match relation.node.as_ref() {
            RelationNode::Table { name, options, is_streaming: false, time_travel: None } if options.is_empty() => {
                match session.catalog().relation(name).await? {
                    Named::Temporary(view) => {
                        let ViewSource::Query(query) = view.source;
                        *query
                    }
                    Named::Stored(table) if table.view.is_none() => {
                        let key = key_of_table(&table.qualified_name());
                        return Ok((relation, Some(key)));
                    }
                    Named::Stored(table) => query_of(&table)?,
                }
            }
            RelationNode::Sql { text, named, positional } => {
                match crate::environment::parse(session, text, named, positional)? {
                    Plan::Query(query) => query,
                    Plan::Command(_) => return Err(SparkError::unsupported("a cache of a command's rows")),
                }
            }
            _ => return Ok((relation, None)),
        };
        relation = next;
    }
}

fn query_of(table: &TableMetadata) -> Result<Relation> {
    let text = table.view.as_ref().map(|view| view.text.as_str()).unwrap_or_default();
    match firesteel_sql::parse_statement(text)? {
        Plan::Query(query) => Ok(query),
        Plan::Command(_) => Err(SparkError::internal("a stored view holds no query")),
    }
}

/// What is no part of a query's meaning: where it stands in a text or in a script.
const PLACES: [&str; 2] = ["span: Some(", "call_site: Some("];

/// A relation as text: the client's ids numbered as they come, places left out.
fn normalised(relation: &Relation) -> String {
    let text = format!("{relation:?}");
    let mut result = String::with_capacity(text.len());
    let mut ids: HashMap<&str, usize> = HashMap::new();
    let mut rest = text.as_str();
    while let Some(at) = rest.find(['"', 'p', 's', 'c']) {
        let (before, from) = rest.split_at(at);
        result.push_str(before);
        if from.starts_with('"') {
            let end = end_of_text(from);
            result.push_str(&from[..end]);
            rest = &from[end..];
        } else if let Some(id) = from.strip_prefix("plan_id: Some(") {
            let digits = &id[..id.find(')').unwrap_or(id.len())];
            let next = ids.len();
            let number = *ids.entry(digits).or_insert(next);
            result.push_str(&format!("plan_id: #{number}"));
            rest = &id[digits.len()..];
        } else if let Some(place) = PLACES.iter().find_map(|place| from.strip_prefix(place)) {
            rest = &place[end_of_value(place)..];
        } else {
            let letter = from.chars().next().map_or(1, char::len_utf8);
            result.push_str(&from[..letter]);
            rest = &from[letter..];
        }
    }
    result.push_str(rest);
    result
}

/// Where the parenthesis ends that a value stands in.
fn end_of_value(from: &str) -> usize {
    let (mut at, mut depth) = (0, 1_usize);
    while let Some(found) = from[at..].find(['"', '(', ')']) {
        at += found;
        match from.as_bytes()[at] {
            b'"' => at += end_of_text(&from[at..]),
            b'(' => (at, depth) = (at + 1, depth + 1),
            _ => (at, depth) = (at + 1, depth - 1),
        }
        if depth == 0 {
            return at;
        }
    }
    from.len()
}

/// Where a quoted text ends, the quotes included.
fn end_of_text(from: &str) -> usize {
    let mut escaped = false;
    for (at, character) in from.char_indices().skip(1) {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    from.len()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn query(sql: &str) -> Relation {
        let Plan::Query(query) = firesteel_sql::parse_statement(sql).unwrap() else { unreachable!("a query") };
        query
    }

    #[test]
    fn equal_queries_are_equal_wherever_they_stand() {
        let same = |a: &str, b: &str| normalised(&query(a)) == normalised(&query(b));
        assert!(same("SELECT a  FROM t", "SELECT   a FROM t"));
        assert!(!same("SELECT a FROM t", "SELECT b FROM t"));
        assert!(!same("SELECT 'span: Some(1)' FROM t", "SELECT 'span: Some(2)' FROM t"));
    }

    #[test]
    fn places_end_where_they_end() {
        assert_eq!(end_of_value("A { f: \"x)\", g: Some(B(1)) }), n"), 29);
        assert_eq!(end_of_value("1), 2)"), 2);
    }

    #[test]
    fn ids_count_by_their_order() {
        let mut left = query("SELECT 1");
        let mut right = left.clone();
        (left.plan_id, right.plan_id) = (Some(7), Some(9));
        assert_eq!(normalised(&left), normalised(&right));
        right.plan_id = None;
        assert_ne!(normalised(&left), normalised(&right));
    }

    #[test]
    fn paths_touch_within_each_other() {
        let read = Dependencies { paths: BTreeSet::from(["file:/a/b".to_owned()]), ..Dependencies::default() };
        for (path, touched) in [("file:/a/b", true), ("file:/a/b/", true), ("file:/a", true), ("file:/a/b/c", true)] {
            assert_eq!(read.touch(path), touched, "{path}");
        }
        assert!(!read.touch("file:/a/bc") && !read.touch("file:/x"));
    }
}
