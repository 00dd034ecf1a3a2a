//! Temporary and stored views.

use std::collections::BTreeMap;

use firesteel_catalog::{TableKind, TableMetadata, TemporaryView, ViewMetadata, ViewSource};
use firesteel_model::{Result, SparkError, conf, error_class};
use firesteel_spec::command::{CreateView, ViewSchemaMode};
use firesteel_spec::relation::{DataSource, SchemaText};
use firesteel_spec::types::quote;
use firesteel_spec::{Command, Relation, RelationNode, StructField};
use tokio::runtime::Handle;

use super::cache;
use crate::application::now_ms;
use crate::planning;
use crate::rows::ReadyRows;
use crate::session::DriverSession;

/// Settings that change what a view's text means.
const KEPT_SETTINGS: [&conf::ConfKey; 2] = [&conf::ANSI_ENABLED, &conf::CASE_SENSITIVE];

pub(super) async fn create(session: &DriverSession, command: &Command) -> Result<ReadyRows> {
    match command {
        Command::CreateTempView { name, is_global, replace, query, columns } => {
            add(session, name, *is_global, *replace, query.clone(), columns.clone()).await?;
        }
        Command::CreateTempViewUsing { name, is_global, replace, schema, format, options } => {
            let source = DataSource {
                format: Some(format.clone()),
                schema: schema.clone().map(SchemaText::Fields),
                options: options.clone(),
                ..DataSource::default()
            };
            let query = Relation::new(RelationNode::DataSource(source));
            let name = name.last().cloned().unwrap_or_default();
            add(session, &name, *is_global, *replace, query, Vec::new()).await?;
        }
        Command::CreateView(create) => stored(session, create).await?,
        _ => return Err(SparkError::internal("no view is made by this command")),
    }
    Ok(ReadyRows::default())
}

/// A temporary view of a query.
pub(super) async fn create_temporary(
    session: &DriverSession,
    name: &str,
    query: &Relation,
    replace: bool,
) -> Result<()> {
    add(session, name, false, replace, query.clone(), Vec::new()).await
}

async fn add(
    session: &DriverSession,
    name: &str,
    is_global: bool,
    replace: bool,
    query: Relation,
    columns: Vec<(String, Option<String>)>,
) -> Result<()> {
    // A view that is replaced may be part of its own new query, so its old meaning is put in first.
    let old = session.catalog().temporary_view(&[name.to_owned()]).filter(|_| replace);
    let (query, mentions) = may_mention(session, query, name, old.is_some()).await?;
    let query = match old {
        Some(old) if mentions => Relation::new(RelationNode::With {
            ctes: vec![firesteel_spec::relation::Cte {
                name: old.name.clone(),
                columns: old.columns.iter().map(|(name, _)| name.clone()).collect(),
                query: query_of(old),
                max_recursion: None,
            }],
            is_recursive: false,
            input: query,
        }),
        _ => query,
    };
    let fields = planning::analyzed(session, &query).await?.fields;
    check_count(&fields, columns.len(), name)?;
    let view = name_of(name, is_global);
    if let Some(old) = session.catalog().temporary_view(&view)
        && session.application().caches.changes(session, query_of(old), query.clone()).await?
    {
        // What was cached under the name is not the view's any more.
        cache::uncache(session, &view, true).await?;
    }
    let source = ViewSource::Query(Box::new(query));
    session.catalog().create_view(TemporaryView { name: name.to_owned(), is_global, source, columns, fields }, replace)
}

fn name_of(name: &str, is_global: bool) -> Vec<String> {
    let schema = is_global.then(|| firesteel_catalog::GLOBAL_TEMP_SCHEMA.to_owned());
    schema.into_iter().chain([name.to_owned()]).collect()
}

/// Whether a query may read the view of a name, if there is one; text in it that only looks so does no harm.
async fn may_mention(session: &DriverSession, query: Relation, name: &str, exists: bool) -> Result<(Relation, bool)> {
    if !exists {
        return Ok((query, false));
    }
    let name = name.to_lowercase();
    let look = move |_: &DriverSession, _: &Handle| {
        let mentions = format!("{query:?}").to_lowercase().contains(&name);
        Ok((query, mentions))
    };
    planning::on_planning_thread(session, look).await
}

fn query_of(view: TemporaryView) -> Relation {
    let ViewSource::Query(query) = view.source;
    *query
}

fn check_count(fields: &[StructField], named: usize, view: &str) -> Result<()> {
    if named == 0 || named == fields.len() {
        return Ok(());
    }
    let class = if named > fields.len() {
        &error_class::CREATE_VIEW_COLUMN_ARITY_MISMATCH_NOT_ENOUGH_DATA_COLUMNS
    } else {
        &error_class::CREATE_VIEW_COLUMN_ARITY_MISMATCH_TOO_MANY_DATA_COLUMNS
    };
    let data: Vec<_> = fields.iter().map(|f| quote(&f.name)).collect();
    Err(SparkError::new(class)
        .param("viewName", quote(view))
        .param("dataColumns", data.join(", "))
        .param("viewColumns", named.to_string()))
}

async fn stored(session: &DriverSession, create: &CreateView) -> Result<()> {
    let name = session.catalog().table_name(&create.name)?;
    let catalog = session.catalog().shared();
    let existing = catalog.find_table(&name).await?;
    match &existing {
        None if create.is_alter => {
            return Err(SparkError::new(&error_class::TABLE_OR_VIEW_NOT_FOUND).param("relationName", name.quoted()));
        }
        Some(table) if table.kind != TableKind::View => {
            return Err(SparkError::new(&error_class::EXPECT_VIEW_NOT_TABLE_NO_ALTERNATIVE)
                .param("tableName", name.quoted())
                .param("operation", "CREATE OR REPLACE VIEW"));
        }
        Some(_) if create.if_not_exists => return Ok(()),
        Some(_) if !create.replace && !create.is_alter => {
            return Err(
                SparkError::new(&error_class::TABLE_OR_VIEW_ALREADY_EXISTS).param("relationName", name.quoted())
            );
        }
        _ => {}
    }
    let mut fields = planning::analyzed_to_store(session, &create.query, ("VIEW", name.quoted())).await?.fields;
    check_count(&fields, create.columns.len(), &name.name)?;
    let query_columns = fields.iter().map(|field| field.name.clone()).collect();
    for (field, (column, comment)) in fields.iter_mut().zip(&create.columns) {
        field.name.clone_from(column);
        if let Some(comment) = comment {
            *field = field.clone().with_text("comment", Some(comment));
        }
    }
    let kept = existing.filter(|_| create.is_alter).and_then(|table| table.view?.schema_mode);
    let mode = create.schema_mode.or(kept).or_else(|| default_mode(session));
    let settings = KEPT_SETTINGS.iter().map(|key| (key.name.to_owned(), session.settings().text(key)));
    let mut table = TableMetadata::new(&name.schema, &name.name, "", &fields, "");
    table.kind = TableKind::View;
    table.comment.clone_from(&create.comment);
    table.properties = create.properties.iter().cloned().collect();
    table.created_ms = now_ms();
    table.owner = session.user().to_owned();
    table.view = Some(ViewMetadata {
        text: create.text.clone(),
        column_names: create.columns.iter().map(|(name, _)| name.clone()).collect(),
        current_schema: session.catalog().current_schema(),
        settings: settings.collect::<BTreeMap<_, _>>(),
        schema_mode: mode.map(|mode| with_columns(mode, !create.columns.is_empty())),
        query_columns,
    });
    catalog.replace_table(&table).await
}

/// What a view does when columns change below it; nothing special where the session knows no such modes.
pub(crate) fn mode(session: &DriverSession, view: &ViewMetadata) -> Option<ViewSchemaMode> {
    let knows = session.settings().bool(&conf::VIEW_SCHEMA_BINDING);
    knows.then(|| view.schema_mode.unwrap_or(ViewSchemaMode::Binding))
}

/// With names for its columns a view can follow their types only.
pub(super) fn with_columns(mode: ViewSchemaMode, has_columns: bool) -> ViewSchemaMode {
    match mode {
        ViewSchemaMode::Evolution if has_columns => ViewSchemaMode::TypeEvolution,
        other => other,
    }
}

/// What a view does that is made without WITH SCHEMA.
fn default_mode(session: &DriverSession) -> Option<ViewSchemaMode> {
    let settings = session.settings();
    let compensates = settings.bool(&conf::VIEW_SCHEMA_COMPENSATION);
    let mode = if compensates { ViewSchemaMode::Compensation } else { ViewSchemaMode::Binding };
    settings.bool(&conf::VIEW_SCHEMA_BINDING).then_some(mode)
}

/// Stores the columns that a view has now.
pub(crate) async fn keep_view_columns(
    session: &DriverSession,
    name: &[String],
    fields: &[StructField],
    query_columns: &[String],
) -> Result<()> {
    let mut table = super::describe::table_of(session, name).await?;
    table.set_columns(fields);
    if let Some(view) = &mut table.view {
        view.query_columns = query_columns.to_vec();
    }
    session.catalog().shared().replace_table(&table).await
}
