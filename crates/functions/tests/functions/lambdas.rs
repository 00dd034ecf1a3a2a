//! Lambdas over captured columns, within each other, over empty arrays and nulls.

use datafusion::common::Column;
use datafusion::logical_expr::Expr;
use firesteel_model::Result;
use firesteel_spec::DataType;

use crate::collections::{call, column, context, int, null, shown, text, try_call};
use firesteel_functions::call::{Argument, LambdaBody, Typed};
use firesteel_functions::registry::{Build, lookup};

type TestBody = Box<dyn Fn(&[Typed]) -> Typed>;

struct TestLambda {
    arity: usize,
    body: TestBody,
}

impl LambdaBody for TestLambda {
    fn arity(&self) -> usize {
        self.arity
    }

    fn resolve(&mut self, names: &[String], parameters: &[(DataType, bool)]) -> Result<Typed> {
        let parameter = |(name, (data_type, nullable)): (&String, &(DataType, bool))| Typed {
            expr: Expr::Column(Column::new_unqualified(name)),
            data_type: data_type.clone(),
            nullable: *nullable,
            sql: "namedlambdavariable()".to_owned(),
        };
        Ok((self.body)(&names.iter().zip(parameters).map(parameter).collect::<Vec<_>>()))
    }

    fn user_names(&self) -> Vec<String> {
        vec!["namedlambdavariable()".to_owned(); self.arity]
    }
}

fn lambda<'a>(arity: usize, body: impl Fn(&[Typed]) -> Typed + 'static) -> Argument<'a> {
    Argument::Lambda(Box::new(TestLambda { arity, body: Box::new(body) }))
}

fn try_apply(name: &str, arguments: Vec<Argument>) -> Result<Typed> {
    let Build::HigherOrder(build) = lookup(name).unwrap().build else { panic!("{name}") };
    build(&context(true), arguments)
}

fn apply(name: &str, arguments: Vec<Argument>) -> Typed {
    try_apply(name, arguments).unwrap()
}

fn op(symbol: &str, left: &Typed, right: &Typed) -> Typed {
    try_call(true, symbol, vec![left.clone(), right.clone()]).unwrap()
}

fn xs<'a>() -> Argument<'a> {
    Argument::Value(column("xs"))
}

#[test]
fn over_arrays() {
    let plus_b = || lambda(1, |p| op("+", &p[0], &column("b")));
    for (value, expected) in [
        (apply("transform", vec![xs(), plus_b()]), "[13, 11, 12] | [] | null | [null, null]"),
        (apply("transform", vec![xs(), lambda(2, |p| p[1].clone())]), "[0, 1, 2] | [] | null | [0, 1]"),
        (apply("transform", vec![xs(), lambda(1, |_| int(7))]), "[7, 7, 7] | [] | null | [7, 7]"),
        (apply("filter", vec![xs(), lambda(1, |p| op(">", &p[0], &int(1)))]), "[3, 2] | [] | null | [4]"),
        (apply("filter", vec![xs(), lambda(2, |p| op("<", &p[1], &int(1)))]), "[3] | [] | null | [4]"),
        (apply("exists", vec![xs(), lambda(1, |p| op("=", &p[0], &int(4)))]), "false | false | null | true"),
        (apply("exists", vec![xs(), lambda(1, |p| op("=", &p[0], &int(3)))]), "true | false | null | null"),
        (apply("forall", vec![xs(), lambda(1, |p| op(">", &p[0], &int(0)))]), "true | true | null | null"),
        (apply("forall", vec![xs(), lambda(1, |p| op("<", &p[0], &int(3)))]), "false | true | null | false"),
        (
            apply(
                "zip_with",
                vec![
                    xs(),
                    Argument::Value(call("array", vec![int(1), int(2)])),
                    lambda(2, |p| try_call(true, "coalesce", vec![op("+", &p[0], &p[1]), int(0)]).unwrap()),
                ],
            ),
            "[4, 3, 0] | [0, 0] | null | [5, 0]",
        ),
        (
            apply(
                "array_sort",
                vec![
                    xs(),
                    lambda(2, |p| {
                        let by = |value: &Typed| try_call(true, "coalesce", vec![value.clone(), int(9)]).unwrap();
                        op("-", &by(&p[1]), &by(&p[0]))
                    }),
                ],
            ),
            "[3, 2, 1] | [] | null | [null, 4]",
        ),
        (apply("array_sort", vec![xs()]), "[1, 2, 3] | [] | null | [4, null]"),
        (apply("array_sort", vec![xs(), lambda(2, |p| op("-", &p[0], &p[1]))]), "COMPARATOR_RETURNS_NULL"),
    ] {
        let sql = value.sql.clone();
        assert_eq!(shown(value), expected, "{sql}");
    }
}

#[test]
fn long_arrays_are_sorted() {
    let numbers = call("sequence", vec![int(0), int(999)]);
    let mixed = apply(
        "transform",
        vec![Argument::Value(numbers), lambda(1, |p| op("%", &op("*", &p[0], &int(389)), &int(1000)))],
    );
    let sorted = apply("array_sort", vec![Argument::Value(mixed), lambda(2, |p| op("-", &p[0], &p[1]))]);
    let expected: Vec<_> = (0..1000).map(|i| i.to_string()).collect();
    let expected = format!("[{}]", expected.join(", "));
    assert_eq!(shown(sorted), [expected.as_str(); 4].join(" | "));
}

#[test]
fn folded() {
    let sum = || lambda(2, |p| op("+", &p[0], &p[1]));
    let start = || Argument::Value(column("b"));
    let value = apply("aggregate", vec![xs(), start(), sum()]);
    assert_eq!(
        value.sql,
        "aggregate(xs, b, lambdafunction((namedlambdavariable() + namedlambdavariable()), \
        namedlambdavariable(), namedlambdavariable()), \
        lambdafunction(namedlambdavariable(), namedlambdavariable()))"
    );
    assert_eq!(shown(value), "16 | 20 | null | null");
    let finished = apply("reduce", vec![xs(), start(), sum(), lambda(1, |p| op("*", &p[0], &int(2)))]);
    assert_eq!(shown(finished), "32 | 40 | null | null");
    let wrong = try_apply("reduce", vec![xs(), Argument::Value(text("")), lambda(2, |p| p[1].clone())]);
    assert_eq!(wrong.unwrap_err().class().name, "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE");
    let wrong = try_apply("transform", vec![xs(), lambda(3, |p| p[0].clone())]);
    assert_eq!(wrong.unwrap_err().class().name, "INVALID_LAMBDA_FUNCTION_CALL.NUM_ARGS_MISMATCH");
}

#[test]
fn within_each_other() {
    // transform(xs, x -> transform(xs, y -> x * y + b))
    let nested = apply(
        "transform",
        vec![
            xs(),
            lambda(1, |outer| {
                let x = outer[0].clone();
                apply("transform", vec![xs(), lambda(1, move |inner| op("+", &op("*", &x, &inner[0]), &column("b")))])
            }),
        ],
    );
    assert_eq!(shown(nested), "[[19, 13, 16], [13, 11, 12], [16, 12, 14]] | [] | null | [[null, null], [null, null]]");
}

#[test]
fn over_maps() {
    let map = || Argument::Value(call("map", vec![text("a"), int(1), text("b"), column("b")]));
    let other = || Argument::Value(call("map", vec![text("b"), int(5), text("c"), int(6)]));
    for (value, expected) in [
        (apply("map_filter", vec![map(), lambda(2, |p| op(">", &p[1], &int(15)))]), "{} | {b -> 20} | {b -> 30} | {}"),
        (
            apply("transform_values", vec![map(), lambda(2, |p| op("+", &p[1], &column("b")))]),
            "{a -> 11, b -> 20} | {a -> 21, b -> 40} | {a -> 31, b -> 60} | {a -> null, b -> null}",
        ),
        (apply("transform_keys", vec![map(), lambda(2, |_| text("k"))]), "DUPLICATED_MAP_KEY"),
        (apply("transform_keys", vec![map(), lambda(2, |_| null())]), "NULL_MAP_KEY"),
        (
            apply(
                "map_zip_with",
                vec![
                    map(),
                    other(),
                    lambda(3, |p| try_call(true, "coalesce", vec![p[2].clone(), p[1].clone()]).unwrap()),
                ],
            ),
            "{a -> 1, b -> 5, c -> 6} | {a -> 1, b -> 5, c -> 6} | {a -> 1, b -> 5, c -> 6} | {a -> 1, b -> 5, c -> 6}",
        ),
    ] {
        let sql = value.sql.clone();
        assert_eq!(shown(value), expected, "{sql}");
    }
}

#[test]
fn travel() {
    let value = apply("transform", vec![xs(), lambda(1, |p| op("+", &p[0], &column("b")))]);
    let Expr::ScalarFunction(function) = &value.expr else { panic!("no function") };
    let body = std::cell::RefCell::new(None);
    let write = |expr: &Expr| {
        body.replace(Some(expr.clone()));
        Ok(vec![1])
    };
    let bytes = firesteel_functions::families::lambda::encode(&function.func, &write).unwrap().unwrap();
    let back = firesteel_functions::families::lambda::decode(&bytes, &|_| Ok(body.borrow().clone().unwrap())).unwrap();
    assert_eq!(back, *function.func);
}
