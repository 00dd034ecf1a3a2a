//! `spark.catalog`.

use firesteel_model::Result;
use firesteel_spec::DataType;
use firesteel_spec::command::{AnalyzeColumns, CatalogOp, Command, Show};
use firesteel_spec::relation::{RelationNode, SchemaText};
use firesteel_spec::types::StructField;
use spark_connect_proto as proto;
use spark_connect_proto::catalog::CatType;

use super::data_type::schema;
use super::{invalid, missing, name, sorted};

/// A catalog call; those that SQL has too become the SQL command.
pub(crate) fn operation(message: proto::Catalog) -> Result<RelationNode> {
    let kind = message.cat_type.ok_or_else(|| missing("the kind of a catalog operation"))?;
    match kind {
        ddl @ (CatType::DropTable(_)
        | CatType::DropView(_)
        | CatType::CreateDatabase(_)
        | CatType::DropDatabase(_)
        | CatType::ListPartitions(_)
        | CatType::GetTableProperties(_)
        | CatType::GetCreateTableString(_)
        | CatType::TruncateTable(_)
        | CatType::AnalyzeTable(_)) => Ok(RelationNode::Command(Box::new(command(ddl)?))),
        other => Ok(RelationNode::Catalog(call(other)?)),
    }
}

fn command(kind: CatType) -> Result<Command> {
    Ok(match kind {
        CatType::DropTable(drop) => {
            Command::DropTable { name: name::parts(&drop.table_name)?, if_exists: drop.if_exists, purge: drop.purge }
        }
        CatType::DropView(drop) => Command::DropView { name: name::parts(&drop.view_name)?, if_exists: drop.if_exists },
        CatType::CreateDatabase(create) => Command::CreateSchema {
            name: name::parts(&create.db_name)?,
            if_not_exists: create.if_not_exists,
            comment: None,
            location: None,
            properties: sorted(create.properties),
        },
        CatType::DropDatabase(drop) => {
            Command::DropSchema { name: name::parts(&drop.db_name)?, if_exists: drop.if_exists, cascade: drop.cascade }
        }
        CatType::ListPartitions(list) => {
            Command::Show(Show::Partitions { table: name::parts(&list.table_name)?, partition: Vec::new() })
        }
        CatType::GetTableProperties(get) => {
            Command::Show(Show::TableProperties { table: name::parts(&get.table_name)?, key: None })
        }
        CatType::GetCreateTableString(get) => {
            Command::Show(Show::CreateTable { table: name::parts(&get.table_name)?, as_serde: get.as_serde })
        }
        CatType::TruncateTable(truncate) => {
            Command::TruncateTable { name: name::parts(&truncate.table_name)?, partition: Vec::new() }
        }
        CatType::AnalyzeTable(analyze) => Command::Analyze {
            table: name::parts(&analyze.table_name)?,
            partition: Vec::new(),
            columns: AnalyzeColumns::None,
            no_scan: analyze.no_scan,
        },
        other => return Err(invalid(format!("{other:?} is no command"))),
    })
}

fn call(kind: CatType) -> Result<CatalogOp> {
    Ok(match kind {
        CatType::CurrentDatabase(_) => CatalogOp::CurrentDatabase,
        CatType::SetCurrentDatabase(set) => CatalogOp::SetCurrentDatabase(set.db_name),
        CatType::ListDatabases(list) => CatalogOp::ListDatabases { pattern: list.pattern },
        CatType::ListTables(list) => CatalogOp::ListTables { database: list.db_name, pattern: list.pattern },
        CatType::ListViews(list) => CatalogOp::ListViews { database: list.db_name, pattern: list.pattern },
        CatType::ListFunctions(list) => CatalogOp::ListFunctions { database: list.db_name, pattern: list.pattern },
        CatType::ListColumns(list) => CatalogOp::ListColumns { table: list.table_name, database: list.db_name },
        CatType::GetDatabase(get) => CatalogOp::GetDatabase(get.db_name),
        CatType::GetTable(get) => CatalogOp::GetTable { table: get.table_name, database: get.db_name },
        CatType::GetFunction(get) => CatalogOp::GetFunction { function: get.function_name, database: get.db_name },
        CatType::DatabaseExists(exists) => CatalogOp::DatabaseExists(exists.db_name),
        CatType::TableExists(exists) => CatalogOp::TableExists { table: exists.table_name, database: exists.db_name },
        CatType::FunctionExists(exists) => {
            CatalogOp::FunctionExists { function: exists.function_name, database: exists.db_name }
        }
        CatType::CreateExternalTable(create) => CatalogOp::CreateTable {
            table: create.table_name,
            path: create.path,
            format: create.source,
            schema: fields(create.schema)?,
            description: None,
            options: sorted(create.options),
        },
        CatType::CreateTable(create) => CatalogOp::CreateTable {
            table: create.table_name,
            path: create.path,
            format: create.source,
            schema: fields(create.schema)?,
            description: create.description,
            options: sorted(create.options),
        },
        CatType::DropTempView(drop) => CatalogOp::DropTempView(drop.view_name),
        CatType::DropGlobalTempView(drop) => CatalogOp::DropGlobalTempView(drop.view_name),
        CatType::RecoverPartitions(recover) => CatalogOp::RecoverPartitions(recover.table_name),
        CatType::IsCached(cached) => CatalogOp::IsCached(cached.table_name),
        CatType::CacheTable(cache) => CatalogOp::CacheTable {
            table: cache.table_name,
            storage_level: cache.storage_level.map(|level| level_name(&level)),
        },
        CatType::UncacheTable(uncache) => CatalogOp::UncacheTable(uncache.table_name),
        CatType::ClearCache(_) => CatalogOp::ClearCache,
        CatType::RefreshTable(refresh) => CatalogOp::RefreshTable(refresh.table_name),
        CatType::RefreshByPath(refresh) => CatalogOp::RefreshByPath(refresh.path),
        CatType::CurrentCatalog(_) => CatalogOp::CurrentCatalog,
        CatType::SetCurrentCatalog(set) => CatalogOp::SetCurrentCatalog(set.catalog_name),
        CatType::ListCatalogs(list) => CatalogOp::ListCatalogs { pattern: list.pattern },
        other => return Err(invalid(format!("{other:?} is no catalog call"))),
    })
}

fn fields(message: Option<proto::DataType>) -> Result<Vec<StructField>> {
    match message.map(schema).transpose()? {
        None => Ok(Vec::new()),
        Some(SchemaText::Fields(fields)) => Ok(fields),
        Some(SchemaText::Text(text)) => match DataType::parse_json(&text)? {
            DataType::Struct(fields) => Ok(fields),
            other => Err(invalid(format!("{} is not a schema", other.sql()))),
        },
    }
}

/// Spark's name of a storage level, as in `MEMORY_AND_DISK_2`.
pub(super) fn level_name(level: &proto::StorageLevel) -> String {
    let mut name = match (level.use_memory, level.use_disk, level.use_off_heap) {
        (_, _, true) => "OFF_HEAP".to_owned(),
        (true, true, _) => "MEMORY_AND_DISK".to_owned(),
        (true, false, _) => "MEMORY_ONLY".to_owned(),
        (false, true, _) => "DISK_ONLY".to_owned(),
        (false, false, _) => "NONE".to_owned(),
    };
    if level.use_memory && !level.deserialized && !level.use_off_heap {
        name.push_str("_SER");
    }
    if level.replication > 1 {
        name.push_str(&format!("_{}", level.replication));
    }
    name
}
