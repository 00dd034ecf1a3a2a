//! Prints docs/configuration.md from the table of configuration keys.

use std::io::{self, Write};

use firesteel_model::conf::{self, ConfKey, ConfKind, Effect};

const INTRODUCTION: &str = "\
# Configuration

*This page is generated from `crates/model/src/conf.rs`: `make generate`.*

Firesteel has Spark's configuration keys, with Spark's defaults. A key is given

- in a job's manifest, under `spec.conf`;
- on the command line: `firesteel connect --conf spark.sql.shuffle.partitions=8`, or
  `firesteel run job.yaml --set conf.spark.sql.shuffle.partitions=8`;
- in a script: `SparkSession.builder.config(key, value)` or `spark.conf.set(key, value)`;
- in SQL: `SET spark.sql.shuffle.partitions = 8`.

Static keys hold for the whole application, so a session that sets one gets an error. Keys that are not listed here are
kept and given back, as Spark does, but change nothing. Where such a key, or one of the last table, is given another
value than its default, the log warns. Sizes take suffixes (`64m`, `1g`), times too (`500ms`, `2m`).
`spark.executorEnv.NAME`, whatever the name, is a variable of the processes that run Python functions.
";

fn main() -> io::Result<()> {
    let mut out = io::stdout().lock();
    write!(out, "{INTRODUCTION}")?;
    section(&mut out, "Runtime keys", |key| !key.is_static && key.effect != Effect::Nothing)?;
    section(&mut out, "Static keys", |key| key.is_static && key.effect != Effect::Nothing)?;
    section(&mut out, "Keys that change nothing", |key| key.effect == Effect::Nothing)
}

fn section(out: &mut impl Write, title: &str, belongs: impl Fn(&ConfKey) -> bool) -> io::Result<()> {
    let mut keys: Vec<&ConfKey> = conf::ALL.iter().copied().filter(|key| belongs(key)).collect();
    keys.sort_by_key(|key| key.name);
    writeln!(out, "\n## {title}\n\n| key | default | type | meaning |\n|---|---|---|---|")?;
    for key in keys {
        let default = key.default.map_or_else(|| "none".to_owned(), |default| format!("`{default}`"));
        let reader = if key.effect == Effect::Client { "for the client: " } else { "" };
        let meaning = key.doc.replace('|', "\\|");
        writeln!(out, "| `{}` | {default} | {} | {reader}{meaning} |", key.name, kind(key.kind))?;
    }
    Ok(())
}

fn kind(kind: ConfKind) -> &'static str {
    match kind {
        ConfKind::Bool => "boolean",
        ConfKind::Int => "integer",
        ConfKind::Bytes => "size",
        ConfKind::Number => "number",
        ConfKind::Time => "time",
        ConfKind::Text => "text",
    }
}
