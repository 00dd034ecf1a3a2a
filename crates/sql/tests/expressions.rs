//! Expressions, written as trees: `(f a b)` is a call.
#![allow(clippy::unwrap_used)]

use firesteel_spec::expr::{CastTarget, ParameterMarker};
use firesteel_spec::{Expr, ExprNode, Literal};
use firesteel_sql::parse_expression;

fn all(exprs: &[Expr]) -> String {
    exprs.iter().map(|expr| format!(" {}", tree(expr))).collect()
}

fn tree(expr: &Expr) -> String {
    match expr.node.as_ref() {
        ExprNode::Literal(literal) => constant(literal),
        ExprNode::Attribute { parts, .. } => parts.join("."),
        ExprNode::Star { target, except, .. } => {
            let except: String = except.iter().map(|name| format!(" -{}", name.join("."))).collect();
            format!("{}*{except}", target.iter().map(|part| format!("{part}.")).collect::<String>())
        }
        ExprNode::Function(call) => {
            let distinct = if call.is_distinct { " distinct" } else { "" };
            let filter = call.filter.as_ref().map(|f| format!(" filter {}", tree(f))).unwrap_or_default();
            let nulls = call.ignore_nulls.map(|ignored| format!(" nulls={ignored}")).unwrap_or_default();
            let order: String = call.order_by.iter().map(|key| format!(" order {}", tree(&key.child))).collect();
            format!("({}{distinct}{}{order}{filter}{nulls})", call.name.join("."), all(&call.arguments))
        }
        ExprNode::Cast { child, target: CastTarget::Type(target), mode } => {
            format!("(cast:{mode:?} {} {})", tree(child), target.sql())
        }
        ExprNode::Alias { child, names, .. } => format!("{} as {}", tree(child), names.join(",")),
        ExprNode::Case { operand, branches, otherwise } => {
            let operand = operand.as_ref().map(|e| format!(" {}", tree(e))).unwrap_or_default();
            let branches: String = branches.iter().map(|(a, b)| format!(" {}:{}", tree(a), tree(b))).collect();
            let otherwise = otherwise.as_ref().map(|e| format!(" else {}", tree(e))).unwrap_or_default();
            format!("(case{operand}{branches}{otherwise})")
        }
        ExprNode::Lambda { parameters, body } => format!("({} -> {})", parameters.join(","), tree(body)),
        ExprNode::LambdaVariable(name) => format!("${name}"),
        ExprNode::Extract { child, key } => format!("{}[{}]", tree(child), tree(key)),
        ExprNode::Window { function, window } => {
            let order: String = window.order_by.iter().map(|key| format!(" order {}", tree(&key.child))).collect();
            format!("(over {}{}{order} {:?})", tree(function), all(&window.partition_by), window.frame.is_some())
        }
        ExprNode::NamedWindow { function, name } => format!("(over {} {name})", tree(function)),
        ExprNode::NamedArgument { name, value } => format!("{name}=>{}", tree(value)),
        ExprNode::Parameter(ParameterMarker::Named(name)) => format!(":{name}"),
        ExprNode::Parameter(ParameterMarker::Positional(place)) => format!("?{place}"),
        ExprNode::ScalarSubquery(_) => "(query)".to_owned(),
        ExprNode::Exists(_) => "(exists)".to_owned(),
        ExprNode::InSubquery { values, .. } => format!("(in{} query)", all(values)),
        other => format!("{other:?}"),
    }
}

fn constant(literal: &Literal) -> String {
    match literal {
        Literal::String(text) => format!("'{text}'"),
        Literal::Integer(n) => n.to_string(),
        Literal::Long(n) => format!("{n}L"),
        Literal::Short(n) => format!("{n}S"),
        Literal::Byte(n) => format!("{n}Y"),
        Literal::Float(n) => format!("{n}F"),
        Literal::Double(n) => format!("{n}D"),
        Literal::Boolean(value) => value.to_string(),
        Literal::Null(_) => "null".to_owned(),
        other => format!("{other:?}"),
    }
}

#[track_caller]
fn check(cases: &[(&str, &str)]) {
    for (text, expected) in cases {
        let found = parse_expression(text).map(|expr| tree(&expr));
        assert_eq!(found.as_deref().map_err(ToString::to_string), Ok(*expected), "{text}");
    }
}

#[test]
fn operators_bind_as_in_spark() {
    check(&[
        ("1 + 2 * 3 - 4", "(- (+ 1 (* 2 3)) 4)"),
        ("a or b and not c = d", "(or a (and b (not (== c d))))"),
        ("a = b is null", "(isnull (== a b))"),
        ("-a * b", "(* (- a) b)"),
        ("-1", "-1"),
        ("2 - 1", "(- 2 1)"),
        ("a || b || 'c'", "(concat (concat a b) 'c')"),
        ("a | b ^ c & d << 1 + 2", "(| a (^ b (& c (<< d (+ 1 2)))))"),
        ("a >> 1 >>> 2", "(>>> (>> a 1) 2)"),
        ("7 div 2 % 3", "(% (div 7 2) 3)"),
        ("!a", "(not a)"),
        ("a <=> b <> c", "(!= (<=> a b) c)"),
        ("~a", "(~ a)"),
        ("a !< 1", "(>= a 1)"),
    ]);
}

#[test]
fn predicates() {
    check(&[
        ("a between 1 and 2 and b", "(and (between a 1 2) b)"),
        ("a not between 1 and 2", "(not (between a 1 2))"),
        ("a in (1, 2)", "(in a 1 2)"),
        ("a not in (select 1)", "(not (in a query))"),
        ("(a, b) in (select 1, 2)", "(in a b query)"),
        ("a like 'x!%' escape '!'", "(like a 'x!%' '!')"),
        ("a not ilike any ('x', 'y')", "(or (not (ilike a 'x')) (not (ilike a 'y')))"),
        ("a like all ('x', 'y')", "(and (like a 'x') (like a 'y'))"),
        ("a rlike 'x'", "(rlike a 'x')"),
        ("a is not null", "(isnotnull a)"),
        ("a is not true", "(not (<=> a true))"),
        ("a is unknown", "(isnull a)"),
        ("a is distinct from b", "(not (<=> a b))"),
        ("a is not distinct from b", "(<=> a b)"),
        ("exists (select 1)", "(exists)"),
        ("exists(a, x -> x > 0)", "(exists a (x -> (> $x 0)))"),
    ]);
}

#[test]
fn names_calls_and_paths() {
    check(&[
        ("a.b.`c d`", "a.b.c d"),
        ("a.b[0].c", "a.b[0]['c']"),
        ("f(a).b", "(f a)['b']"),
        ("cat.db.f(x => 1, *)", "(cat.db.f x=>1 *)"),
        ("count(distinct a, b) filter (where a > 1)", "(count distinct a b filter (> a 1))"),
        ("first(a ignore nulls)", "(first a nulls=true)"),
        ("lag(a) respect nulls over w", "(over (lag a nulls=false) w)"),
        ("percentile_cont(0.5) within group (order by a desc)", "(percentile_cont Decimal(5, 1, 1) order a)"),
        ("sum(a) over (partition by b order by c rows 1 preceding)", "(over (sum a) b order c true)"),
        ("t.* except (a, b.c)", "t.* -a -b.c"),
        ("transform(a, (x, i) -> x.f + i + y)", "(transform a (x,i -> (+ (+ $x['f'] $i) y)))"),
        ("(a, b)", "(struct a b)"),
        ("(1 + 2)", "(+ 1 2)"),
        ("(select 1)", "(query)"),
        ("struct(a as x, 1)", "(struct a as x 1)"),
        ("identifier('a.b')", "a.b"),
        ("date", "date"),
        ("left(a, 1)", "(left a 1)"),
        ("a as `b`", "a as b"),
        ("a b", "a as b"),
        ("explode(m) as (k, v)", "(explode m) as k,v"),
        (":p + ?", "(+ :p ?0)"),
        ("current_date", "current_date"),
        ("a.current_date", "a.current_date"),
    ]);
}

#[test]
fn forms_of_their_own() {
    check(&[
        ("cast(a as decimal(10, 2))", "(cast:Session a DECIMAL(10,2))"),
        ("try_cast(a as array<map<string, int>>)", "(cast:Try a ARRAY<MAP<STRING, INT>>)"),
        ("a::int + 1", "(+ (cast:Session a INT) 1)"),
        ("case a when 1 then 2 else 3 end", "(case a 1:2 else 3)"),
        ("case when a then b end", "(case a:b)"),
        ("extract(year from d)", "(extract 'year' d)"),
        ("substring(a from 2 for 3)", "(substring a 2 3)"),
        ("substr(a, 2)", "(substr a 2)"),
        ("trim(both 'x' from a)", "(trim 'x' a)"),
        ("trim(leading from a)", "(ltrim a)"),
        ("trim(a)", "(trim a)"),
        ("position('a' in b)", "(locate 'a' b)"),
        ("overlay(a placing b from 1 for 2)", "(overlay a b 1 2)"),
        ("dateadd(DAY, 1, d)", "(timestampadd 'DAY' 1 d)"),
        ("date_add(d, 1)", "(date_add d 1)"),
        ("timestampdiff(MONTH, a, b)", "(timestampdiff 'MONTH' a b)"),
        ("a collate UTF8_LCASE", "(collate a 'UTF8_LCASE')"),
        ("v:a.b[0]", "(variant_get v '$.a.b[0]') as b"),
    ]);
}

#[test]
fn literals() {
    check(&[
        ("1L", "1L"),
        ("1S", "1S"),
        ("1Y", "1Y"),
        ("1.5F", "1.5F"),
        ("1D", "1D"),
        ("1e2", "100D"),
        ("3000000000", "3000000000L"),
        ("1.5", "Decimal(15, 2, 1)"),
        ("1BD", "Decimal(1, 1, 0)"),
        ("1.", "Decimal(1, 1, 0)"),
        ("'a' 'b' \"c\"", "'abc'"),
        (r"r'a\n'", r"'a\n'"),
        (r"'it''s\t'", "'it's\t'"),
        ("X'1fA'", "Binary([1, 250])"),
        ("DATE '2020-02-29'", "Date(18321)"),
        ("TIMESTAMP '1970-01-01 00:00:01Z'", "Timestamp(1000000)"),
        ("TIMESTAMP '2020-01-01'", "(cast:Ansi '2020-01-01' TIMESTAMP)"),
        ("TIMESTAMP_NTZ '1970-01-01 00:00:01'", "TimestampNtz(1000000)"),
        ("TIME '01:00:00'", "Time(3600000000000, 6)"),
        ("INTERVAL 1 YEAR 2 MONTHS", "YearMonthInterval(14, YearMonthInterval(Year, Month))"),
        ("INTERVAL '-1' DAY", "DayTimeInterval(-86400000000, DayTimeInterval(Day, Day))"),
        ("INTERVAL '1 2:3' DAY TO MINUTE", "DayTimeInterval(93780000000, DayTimeInterval(Day, Minute))"),
        ("INTERVAL '3 hours'", "DayTimeInterval(10800000000, DayTimeInterval(Hour, Hour))"),
        ("interval", "interval"),
        ("null", "null"),
    ]);
}

#[test]
fn wrong_expressions_have_sparks_class() {
    let cases = [
        ("1 +", "PARSE_SYNTAX_ERROR"),
        ("DATE 'x'", "INVALID_TYPED_LITERAL"),
        ("TIMESTAMP '2020-13-01'", "INVALID_TYPED_LITERAL"),
        ("geo 'x'", "UNSUPPORTED_TYPED_LITERAL"),
        ("a in ()", "INVALID_SQL_SYNTAX.EMPTY_IN_PREDICATE"),
        ("300Y", "INVALID_NUMERIC_LITERAL_RANGE"),
        ("INTERVAL 1 YEAR 1 DAY", "_LEGACY_ERROR_TEMP_0029"),
        ("INTERVAL '1' DAY TO MINUTE", "INVALID_INTERVAL_FORMAT.UNMATCHED_FORMAT_STRING_WITH_NOTICE"),
        ("dateadd('DAY', 1, d)", "INVALID_PARAMETER_VALUE.DATETIME_UNIT"),
        ("cast(a as foo)", "UNSUPPORTED_DATATYPE"),
        ("/* a", "UNCLOSED_BRACKETED_COMMENT"),
        (" -- nothing", "PARSE_EMPTY_STATEMENT"),
    ];
    for (text, class) in cases {
        assert_eq!(parse_expression(text).map_err(|error| error.class().name).unwrap_err(), class, "{text}");
    }
}

#[test]
fn nesting_is_bounded_and_long_chains_are_not() {
    let nested = |depth: usize| format!("{}1{}", "(".repeat(depth), ")".repeat(depth));
    assert!(parse_expression(&nested(100)).is_ok());
    let forms = [("(", ")"), ("f(", ")"), ("(select ", ")"), ("case when ", " then 1 end"), ("- ", ""), ("not ", "")];
    for (open, close) in forms.into_iter().chain([("a[", "]"), ("x -> ", ""), ("(select 1 from (select ", "))")]) {
        let text = format!("{}1{}", open.repeat(10_000), close.repeat(10_000));
        let class = parse_expression(&text).map_err(|error| error.class().name).unwrap_err();
        assert!(matches!(class, "FAILED_TO_PARSE_TOO_COMPLEX" | "PARSE_SYNTAX_ERROR"), "{open}: {class}");
    }
    let retried = format!("{}1{}", "((select ".repeat(40), ") + 1)".repeat(40));
    assert!(parse_expression(&retried).is_ok());
    assert!(parse_expression(&vec!["a = 1"; 3000].join(" or ")).is_ok());
}
