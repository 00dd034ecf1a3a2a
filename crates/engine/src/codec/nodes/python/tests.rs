//! Every node of Python functions, written and read.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use arrow::compute::SortOptions;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::ScalarValue;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::logical_expr::{WindowFrame, WindowFrameBound, WindowFrameUnits};
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::{LexOrdering, PhysicalSortExpr};
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::{ExecutionPlan, displayable};
use datafusion::prelude::SessionConfig;
use firesteel_python::{Argument, EvalType, PythonCommand, PythonSession, TableFunction, WorkerKey, WorkerRole};

use crate::codec::PlanCodec;
use crate::python::{
    CoGroupExec, CoGroupSide, CoGroupWork, EvaluateExec, EvaluatedColumn, Evaluation, GroupExec, GroupFunction,
    GroupResult, GroupWork, InputOrder, Lateral, MapPartitionsExec, PythonScanExec, TableFunctionExec, TableWork,
};

fn schema() -> SchemaRef {
    let text = Field::new("#2", DataType::Utf8, true);
    Arc::new(Schema::new(vec![Field::new("#1", DataType::Int64, false), text]))
}

fn input() -> Arc<dyn ExecutionPlan> {
    Arc::new(EmptyExec::new(schema()))
}

fn command(eval_type: EvalType) -> Arc<PythonCommand> {
    let (name, python_version) = ("double".to_owned(), "3.11".to_owned());
    Arc::new(PythonCommand { name, eval_type, command: vec![0x80, 5, 0, 255], python_version })
}

fn session() -> Arc<PythonSession> {
    let variables = BTreeMap::from([("A".to_owned(), "b".to_owned())]);
    Arc::new(PythonSession {
        worker: WorkerKey { executable: PathBuf::from("python3"), variables, role: WorkerRole::Functions },
        conf: BTreeMap::from([("spark.sql.session.timeZone".to_owned(), "UTC".to_owned())]),
        files: PathBuf::from("files"),
        includes: vec![PathBuf::from("a.zip")],
        batch_rows: 10_000,
        batch_bytes: 1 << 20,
        idle_timeout_s: 3,
    })
}

fn named(offset: usize) -> Vec<Argument> {
    vec![Argument::positional(offset), Argument { offset: 0, name: Some("n".to_owned()) }]
}

fn evaluate() -> Arc<dyn ExecutionPlan> {
    let field = Arc::new(Field::new("#9", DataType::Float64, true).with_metadata([("a".into(), "b".into())].into()));
    let chain = vec![command(EvalType::ARROW_BATCHED), command(EvalType::ARROW_BATCHED)];
    let evaluation = Evaluation {
        eval_type: EvalType::ARROW_BATCHED,
        session: session(),
        argument_types: vec!["\"long\"".to_owned()],
        columns: vec![EvaluatedColumn { chain, arguments: named(0), field }],
    };
    Arc::new(EvaluateExec::new(input(), vec![Arc::new(Column::new("#1", 0))], evaluation))
}

fn map_partitions(is_sorted: bool) -> Arc<dyn ExecutionPlan> {
    let key = PhysicalSortExpr::new_default(Arc::new(Column::new("#2", 1)));
    let order = LexOrdering::new([key]).filter(|_| is_sorted);
    let order = order.map(|ordering| InputOrder { ordering, is_global: true });
    let (names, command) = (vec!["a".to_owned(), "b".to_owned()], command(EvalType::MAP_ARROW_ITER));
    Arc::new(MapPartitionsExec::new(input(), names, command, session(), order, schema()))
}

fn group(result: GroupResult) -> Arc<dyn ExecutionPlan> {
    let eval_type = EvalType::WINDOW_AGG_PANDAS;
    let work = GroupWork {
        eval_type,
        session: session(),
        keys: vec![0],
        order: vec![(1, SortOptions { descending: true, nulls_first: false })],
        columns: vec![(1, "b".to_owned()), (0, "a".to_owned())],
        functions: vec![GroupFunction { command: command(eval_type), arguments: named(1) }],
        result,
    };
    Arc::new(GroupExec::new(input(), Arc::new(work), schema()))
}

fn cogroup() -> Arc<dyn ExecutionPlan> {
    let side = |keys: Vec<usize>| CoGroupSide { keys, names: vec!["a".to_owned(), "b".to_owned()], values: 2 };
    let work = CoGroupWork {
        command: command(EvalType::COGROUPED_MAP_ARROW),
        session: session(),
        left: side(vec![0]),
        right: side(vec![1]),
    };
    Arc::new(CoGroupExec::new(input(), input(), Arc::new(work), schema()))
}

fn table(lateral: Option<Lateral>) -> Arc<dyn ExecutionPlan> {
    let call = TableFunction {
        arguments: named(1),
        tables: vec![1],
        partition_columns: vec![0],
        analyzed: lateral.map(|_| vec![1, 2]),
        returns_json: "{}".to_owned(),
    };
    let work = TableWork {
        command: command(EvalType::ARROW_TABLE),
        session: session(),
        call,
        argument_types: vec!["\"long\"".to_owned()],
        columns: vec![1, 0],
        keys: vec![0],
        order: vec![(1, SortOptions::default())],
        is_single: lateral.is_none(),
        lateral,
    };
    Arc::new(TableFunctionExec::new(input(), Arc::new(work), schema()))
}

fn scan() -> Arc<dyn ExecutionPlan> {
    let partitions = vec![vec![1, 0, 255], Vec::new()];
    Arc::new(PythonScanExec::new(command(EvalType::MAP_ARROW_ITER), session(), partitions, schema()))
}

fn frames() -> GroupResult {
    let bounded = WindowFrame::new_bounds(
        WindowFrameUnits::Rows,
        WindowFrameBound::Preceding(ScalarValue::UInt64(Some(2))),
        WindowFrameBound::CurrentRow,
    );
    GroupResult::EachRow { kept: 2, frames: vec![Arc::new(bounded)] }
}

#[test]
fn nodes_of_python_functions_travel() {
    let codec = PlanCodec::new(Vec::new());
    let plans = [
        evaluate(),
        map_partitions(false),
        map_partitions(true),
        group(GroupResult::Rows),
        group(GroupResult::OneRow),
        group(frames()),
        cogroup(),
        scan(),
        table(None),
        table(Some(Lateral { kept: 1, is_outer: true })),
    ];
    for plan in plans {
        let bytes = codec.encode(&plan).unwrap();
        let again = codec.decode(&bytes, SessionConfig::new(), Arc::new(RuntimeEnv::default())).unwrap();
        let shown = |plan: &Arc<dyn ExecutionPlan>| displayable(plan.as_ref()).indent(true).to_string();
        assert_eq!((shown(&again), again.schema()), (shown(&plan), plan.schema()));
        assert_eq!(codec.encode(&again).unwrap(), bytes, "{}", shown(&plan));
        // What the nodes say of themselves leaves out what they were made from.
        assert_eq!(format!("{again:?}"), format!("{plan:?}"));
    }
}
