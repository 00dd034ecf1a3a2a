//! Queries and commands: what they become, and what is wrong with them.
#![allow(clippy::panic, clippy::unwrap_used)]

use firesteel_spec::command::Statement;
use firesteel_spec::relation::{Grouping, GroupingElement, JoinKind, SetKind};
use firesteel_spec::{Command, DataType, Plan, Relation, RelationNode};
use firesteel_sql::{
    ParserOptions, parse_data_type, parse_multipart_identifier, parse_statement, parse_statement_with,
    parse_table_schema,
};

/// The names of the nodes from the top along the first inputs.
fn spine(relation: &Relation) -> String {
    use RelationNode as R;
    let (name, input) = match relation.node.as_ref() {
        R::OneRow => ("one", None),
        R::Table { .. } => ("table", None),
        R::Values(_) => ("values", None),
        R::TableFunction(_) => ("function", None),
        R::Project { input, .. } => ("project", Some(input)),
        R::Filter { input, .. } => ("filter", Some(input)),
        R::Having { input, .. } => ("having", Some(input)),
        R::Qualify { input, .. } => ("qualify", Some(input)),
        R::Sort { input, is_global, .. } => (if *is_global { "order" } else { "sort" }, Some(input)),
        R::Limit { input, .. } => ("limit", Some(input)),
        R::Offset { input, .. } => ("offset", Some(input)),
        R::Aggregate { input, .. } => ("aggregate", Some(input)),
        R::Pivot { input, .. } => ("pivot", Some(input)),
        R::Unpivot(unpivot) => ("unpivot", Some(&unpivot.input)),
        R::Alias { input, .. } => ("alias", Some(input)),
        R::Hint { input, .. } => ("hint", Some(input)),
        R::Deduplicate { input, .. } => ("distinct", Some(input)),
        R::Sample { input, .. } => ("sample", Some(input)),
        R::SampleRows { input, .. } => ("rows", Some(input)),
        R::Repartition { input, .. } => ("repartition", Some(input)),
        R::LateralView { input, .. } => ("view", Some(input)),
        R::WithWindows { input, .. } => ("windows", Some(input)),
        R::With { input, .. } => ("with", Some(input)),
        R::Join(join) => ("join", Some(&join.left)),
        R::SetOperation { left, kind, .. } => {
            let name = match kind {
                SetKind::Union => "union",
                SetKind::Intersect => "intersect",
                SetKind::Except => "except",
            };
            (name, Some(left))
        }
        _ => ("other", None),
    };
    input.map_or_else(|| name.to_owned(), |input| format!("{name} {}", spine(input)))
}

fn query(text: &str) -> Relation {
    match parse_statement(text) {
        Ok(Plan::Query(query)) => query,
        other => panic!("{text}: {other:?}"),
    }
}

fn command(text: &str) -> Command {
    match parse_statement(text) {
        Ok(Plan::Command(command)) => command,
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn clauses_stack_in_order() {
    let cases = [
        ("SELECT 1", "project one"),
        ("SELECT DISTINCT a FROM t WHERE b LIMIT 1 OFFSET 2;", "limit offset distinct project filter table"),
        ("SELECT a FROM t GROUP BY a HAVING b ORDER BY c", "order having aggregate table"),
        ("SELECT max(a) FROM t HAVING b", "having project table"),
        ("SELECT a FROM t QUALIFY b", "qualify project table"),
        ("SELECT /*+ BROADCAST(t), COALESCE(3) */ * FROM t", "hint hint project table"),
        ("SELECT * FROM t DISTRIBUTE BY a SORT BY b", "sort repartition project table"),
        ("SELECT * FROM t CLUSTER BY a", "sort repartition project table"),
        ("SELECT f(a) OVER w FROM t WINDOW w AS (ORDER BY a)", "windows project table"),
        ("FROM t SELECT a WHERE b", "project filter table"),
        ("TABLE t", "table"),
        ("VALUES (1, 2), (3, 4)", "values"),
        ("SELECT 1 UNION SELECT 2 INTERSECT SELECT 3", "union project one"),
        ("(SELECT 1) MINUS SELECT 2", "except project one"),
        ("WITH a AS (SELECT 1) SELECT * FROM a", "with project table"),
        ("SELECT * FROM a JOIN b ON x, c", "project join join table"),
        ("SELECT * FROM (a CROSS JOIN b) u", "project alias join table"),
        ("SELECT * FROM ((SELECT 1) UNION ALL (SELECT 2)) t", "project alias union project one"),
        ("SELECT * FROM t LATERAL VIEW OUTER explode(a) e AS k, v", "project view table"),
        ("SELECT * FROM t PIVOT (sum(a) FOR b IN (1, 2 AS x))", "project pivot table"),
        ("SELECT * FROM t UNPIVOT (v FOR n IN (a, b AS c)) u", "project alias unpivot table"),
        ("SELECT * FROM t TABLESAMPLE (10 PERCENT) s", "project alias sample table"),
        ("SELECT * FROM t TABLESAMPLE (5 ROWS)", "project rows table"),
        ("SELECT * FROM range(3) AS r(i)", "project alias function"),
        ("SELECT * FROM t VERSION AS OF 3", "project table"),
        (
            "FROM t |> WHERE a |> SELECT b |> AGGREGATE sum(b) GROUP BY c |> LIMIT 1",
            "limit aggregate project filter table",
        ),
        (
            "TABLE t |> EXTEND 1 AS x |> DROP a |> SET x = 2 |> AS u |> JOIN v USING (a)",
            "join alias project project project table",
        ),
        ("TABLE t |> ORDER BY a DESC |> UNION ALL TABLE u", "union order table"),
    ];
    for (text, expected) in cases {
        assert_eq!(spine(&query(text)), expected, "{text}");
    }
}

#[test]
fn joins_and_grouping() {
    let kinds = [
        ("JOIN", JoinKind::Inner),
        ("LEFT OUTER JOIN", JoinKind::Left),
        ("FULL JOIN", JoinKind::Full),
        ("LEFT SEMI JOIN", JoinKind::LeftSemi),
        ("ANTI JOIN", JoinKind::LeftAnti),
        ("CROSS JOIN", JoinKind::Cross),
        ("NATURAL RIGHT JOIN", JoinKind::Right),
    ];
    for (text, kind) in kinds {
        let relation = query(&format!("FROM a {text} b SELECT *"));
        let RelationNode::Project { input, .. } = *relation.node else { panic!("{text}") };
        let RelationNode::Join(join) = *input.node else { panic!("{text}") };
        assert_eq!(join.kind, kind);
    }
    let grouping = |text: &str| match *query(&format!("SELECT 1 FROM t GROUP BY {text}")).node {
        RelationNode::Aggregate { grouping, .. } => grouping,
        other => panic!("{other:?}"),
    };
    assert_eq!(grouping("ALL"), Grouping::All);
    assert!(matches!(grouping("a, (b)"), Grouping::Expressions(list) if list.len() == 2));
    let is_rollup = |grouping| match grouping {
        Grouping::Elements(elements) => {
            matches!(elements.last(), Some(GroupingElement::Rollup(sets)) if sets.len() == 2)
        }
        _ => false,
    };
    assert!(is_rollup(grouping("a, b WITH ROLLUP")) && is_rollup(grouping("x, ROLLUP(a, (b, c))")));
    assert!(matches!(grouping("GROUPING SETS ((a, b), (), CUBE(a))"), Grouping::Elements(_)));
}

#[test]
fn statements_of_every_family_parse() {
    let accepted = [
        "CREATE TABLE a.b (x INT NOT NULL DEFAULT 1 COMMENT 'c', y STRING) USING parquet PARTITIONED BY (y) LOCATION '/p'",
        "CREATE OR REPLACE TABLE t USING csv OPTIONS (header = true, 'a.b' 'c') AS SELECT 1",
        "CREATE TABLE t (a INT, CONSTRAINT pk PRIMARY KEY (a)) CLUSTERED BY (a) SORTED BY (a) INTO 4 BUCKETS",
        "CREATE TABLE IF NOT EXISTS a LIKE b USING parquet",
        "CREATE TEMPORARY VIEW v (a COMMENT 'x', b) AS VALUES (1, 2)",
        "CREATE OR REPLACE GLOBAL TEMP VIEW v AS SELECT 1",
        "CREATE TEMP VIEW v (a INT) USING csv OPTIONS (path '/x')",
        "CREATE FUNCTION f(a INT DEFAULT 1) RETURNS INT COMMENT 'x' RETURN a + 1",
        "CREATE FUNCTION f() RETURNS TABLE (a INT) RETURN SELECT 1",
        "INSERT INTO t (a, b) VALUES (1, DEFAULT)",
        "INSERT OVERWRITE TABLE t PARTITION (p = 1, q) SELECT * FROM s",
        "INSERT INTO t REPLACE WHERE a > 1 SELECT * FROM s",
        "INSERT INTO t BY NAME SELECT 1 AS a",
        "WITH c AS (SELECT 1) INSERT INTO t SELECT * FROM c",
        "INSERT OVERWRITE DIRECTORY '/d' USING parquet SELECT 1",
        "DELETE FROM t AS x WHERE x.a = 1",
        "UPDATE t SET a = 1, b.c = DEFAULT WHERE d",
        "MERGE INTO t USING s ON t.a = s.a WHEN MATCHED AND x THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *",
        "MERGE INTO t USING (SELECT 1 a) s ON true WHEN NOT MATCHED BY SOURCE THEN DELETE",
        "ALTER TABLE t ADD COLUMNS (a.b INT FIRST, c STRING AFTER d)",
        "ALTER TABLE t ALTER COLUMN a TYPE BIGINT",
        "ALTER TABLE t DROP IF EXISTS PARTITION (a = 1), PARTITION (a = 2) PURGE",
        "ALTER TABLE t PARTITION (a = 1) RENAME TO PARTITION (a = 2)",
        "ALTER VIEW v AS SELECT 1",
        "DROP TABLE IF EXISTS t PURGE",
        "SHOW TABLES IN a LIKE 'x*'",
        "SHOW USER FUNCTIONS LIKE 'a*'",
        "DESCRIBE TABLE EXTENDED t PARTITION (a = 1)",
        "DESC FUNCTION EXTENDED abs",
        "DESC SELECT 1",
        "EXPLAIN FORMATTED SELECT 1",
        "SET spark.sql.ansi.enabled=false",
        "SET TIME ZONE 'Europe/Rome'",
        "SET VAR a = 1, b = (SELECT 2)",
        "DECLARE OR REPLACE VARIABLE x INT = 5",
        "EXECUTE IMMEDIATE 'SELECT ?' INTO a USING 1",
        "CACHE LAZY TABLE t OPTIONS ('storageLevel' 'DISK_ONLY') AS SELECT 1",
        "ANALYZE TABLE t COMPUTE STATISTICS FOR COLUMNS a, b",
        "MSCK REPAIR TABLE t SYNC PARTITIONS",
        "COMMENT ON TABLE t IS NULL",
        "REFRESH '/a/b'",
        "USE SCHEMA a.b",
        "CREATE SCHEMA IF NOT EXISTS s COMMENT 'c' LOCATION '/l' WITH DBPROPERTIES (a = 1)",
        "DROP SCHEMA s CASCADE",
        "TRUNCATE TABLE t PARTITION (a = 1)",
    ];
    for text in accepted {
        assert!(!matches!(command(text), Command::Unsupported(_)), "{text}");
    }
}

#[test]
fn settings_are_taken_as_written() {
    let set = |key: Option<&str>, value: Option<&str>, with_docs| Command::Set {
        key: key.map(str::to_owned),
        value: value.map(str::to_owned),
        with_docs,
    };
    assert_eq!(command("SET"), set(None, None, false));
    assert_eq!(command("SET -v"), set(None, None, true));
    assert_eq!(command("SET a.b"), set(Some("a.b"), None, false));
    assert_eq!(command("SET a.b = x, 'y' -- z ;"), set(Some("a.b"), Some("x, 'y' -- z ;"), false));
    assert_eq!(command("SET `a b` = `c d`"), set(Some("a b"), Some("c d"), false));
    assert_eq!(command("RESET a.b"), Command::Reset { key: Some("a.b".to_owned()) });
}

#[test]
fn scripts() {
    let text = "l: BEGIN DECLARE x INT DEFAULT 0; DECLARE EXIT HANDLER FOR SQLEXCEPTION SELECT 1; \
                WHILE x < 3 DO SET x = x + 1; IF x = 2 THEN ITERATE l; ELSE SELECT x; END IF; END WHILE; \
                REPEAT SELECT 2; UNTIL true END REPEAT; FOR r AS SELECT 1 DO SELECT r.a; END FOR; \
                CASE x WHEN 1 THEN SELECT 1; END CASE; BEGIN END; END l";
    let Command::Script(block) = command(text) else { panic!("no script") };
    assert_eq!((block.label.as_deref(), block.statements.len()), (Some("l"), 7));
    assert!(matches!(&block.statements[0], Statement::Plan(_, text) if text == "DECLARE x INT DEFAULT 0"));
    assert!(matches!(block.statements[2], Statement::While { .. }));
}

#[test]
fn errors_have_class_and_place() {
    let cases = [
        ("SELECT * FORM t WHERE", "[PARSE_SYNTAX_ERROR] syntax error at or near 't' SQLSTATE: 42601 (line 1, pos 14)"),
        (
            "SELECT a FROM t\nWHERE",
            "[PARSE_SYNTAX_ERROR] syntax error at or near end of input SQLSTATE: 42601 (line 2, pos 5)",
        ),
        (
            "FROM a-b SELECT 1",
            "[INVALID_IDENTIFIER] the name a-b needs back-quotes around it SQLSTATE: 42602 (line 1, pos 5)",
        ),
        ("", "[PARSE_EMPTY_STATEMENT] the statement is empty SQLSTATE: 42617"),
    ];
    for (text, expected) in cases {
        let error = parse_statement(text).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{text}: {error}");
    }
    let classes = [
        ("SELECT CAST(DATE 'x' AS INT)", "INVALID_TYPED_LITERAL"),
        ("SELECT (SELECT DATE 'x')", "INVALID_TYPED_LITERAL"),
        ("WITH a AS (SELECT 1), A AS (SELECT 2) SELECT 1", "DUPLICATED_CTE_NAMES"),
        ("CREATE TABLE t (a INT) USING csv COMMENT 'a' COMMENT 'b'", "DUPLICATE_CLAUSES"),
        ("SELECT * FROM t ORDER BY a SORT BY b", "UNSUPPORTED_FEATURE.COMBINATION_QUERY_RESULT_CLAUSES"),
        ("VALUES (1), (1, 2)", "INVALID_INLINE_TABLE.NUM_COLUMNS_MISMATCH"),
        ("CREATE TEMPORARY VIEW a.b AS SELECT 1", "INVALID_TEMP_OBJ_QUALIFIER"),
    ];
    for (text, class) in classes {
        assert_eq!(parse_statement(text).unwrap_err().class().name, class, "{text}");
    }
}

#[test]
fn parameters_take_their_values() {
    let options = ParserOptions {
        named: vec![("t".to_owned(), firesteel_spec::Expr::literal(firesteel_spec::Literal::String("a.b".to_owned())))],
        ..ParserOptions::default()
    };
    let plan = parse_statement_with("TABLE IDENTIFIER(:t)", &options).unwrap();
    let Plan::Query(relation) = plan else { panic!("no query") };
    assert!(matches!(*relation.node, RelationNode::Table { name, .. } if name == ["a", "b"]));
}

#[test]
fn types_and_schemas() {
    let cases = [
        ("decimal", "DECIMAL(10,0)"),
        (
            "struct<a: int comment 'x', `b c`: array<string> not null>",
            "STRUCT<a: INT COMMENT 'x', `b c`: ARRAY<STRING> NOT NULL>",
        ),
        ("interval day to second", "INTERVAL DAY TO SECOND"),
        ("string collate unicode_ci", "STRING COLLATE UNICODE_CI"),
        ("timestamp_ltz", "TIMESTAMP"),
        ("varchar(3)", "VARCHAR(3)"),
        ("struct<>", "STRUCT<>"),
    ];
    for (text, expected) in cases {
        assert_eq!(parse_data_type(text).unwrap().sql(), expected);
    }
    let fields = parse_table_schema("a INT, b STRING NOT NULL COMMENT 'x'").unwrap();
    assert!(fields[0].nullable && !fields[1].nullable && fields[1].comment().as_deref() == Some("x"));
    assert_eq!(parse_table_schema("bigint").unwrap()[0].data_type, DataType::Long);
    assert_eq!(parse_table_schema("struct<a:int,b:int>").unwrap().len(), 2);
    assert_eq!(parse_multipart_identifier("a.`b.c`.d").unwrap(), ["a", "b.c", "d"]);
}
