//! Random plans: what the cluster gives is what a single run gives.

use std::sync::Arc;

use datafusion::common::{JoinType, Result};
use datafusion::functions_aggregate::expr_fn::{count, max, min, sum};
use datafusion::functions_window::expr_fn::row_number;
use datafusion::logical_expr::expr::Sort;
use datafusion::logical_expr::{Expr, ExprFunctionExt, LogicalPlanBuilder, Partitioning, lit, scalar_subquery};
use datafusion::physical_plan::displayable;
use datafusion::prelude::{DataFrame, SessionContext, col};
use firesteel_engine::settings::{AdaptiveSettings, ExecutionSettings, SkewSettings};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::setup::{cluster, options, plain_session, result_rows, rows, session, settings, sorted};

const JOINS: [JoinType; 8] = [
    JoinType::Inner,
    JoinType::Left,
    JoinType::Right,
    JoinType::Full,
    JoinType::LeftSemi,
    JoinType::LeftAnti,
    JoinType::RightSemi,
    JoinType::RightAnti,
];

struct Generator<'a> {
    context: &'a SessionContext,
    random: StdRng,
}

impl Generator<'_> {
    /// A frame with the columns `c0`, `c1` and `c2` again, whatever was done to it.
    async fn frame(&mut self, depth: usize) -> Result<DataFrame> {
        if depth == 0 {
            return self.context.table(format!("t{}", self.random.random_range(0..3))).await;
        }
        let input = Box::pin(self.frame(depth - 1)).await?;
        match self.random.random_range(0..14) {
            0 => input.filter((col("c0") % lit(3)).eq(lit(self.random.random_range(0_i64..3)))),
            1 => input.select(vec![(col("c0") + lit(1)).alias("c0"), col("c0").alias("c1"), col("c2")]),
            2 | 3 => self.join(input, depth).await,
            4 => self.nested_loop_join(input, depth).await,
            5 => input
                .aggregate(
                    vec![(col("c0") % lit(4)).alias("k")],
                    vec![sum(col("c1")).alias("s"), max(col("c2")).alias("m")],
                )?
                .select(vec![col("k").alias("c0"), col("s").alias("c1"), col("m").alias("c2")]),
            6 => input
                .aggregate(
                    vec![],
                    vec![count(lit(1)).alias("n"), sum(col("c1")).alias("s"), min(col("c2")).alias("m")],
                )?
                .select(vec![col("n").alias("c0"), col("s").alias("c1"), col("m").alias("c2")]),
            7 => input.distinct(),
            8 => {
                let other = Box::pin(self.frame(depth - 1)).await?;
                match self.random.random_range(0..4) {
                    0 => input.union(other),
                    1 => input.union_distinct(other),
                    2 => input.intersect(other),
                    _ => input.except(other),
                }
            }
            9 => self.window(input),
            10 => {
                let limited = input.sort(self.all_columns())?;
                let skip = self.random.random_range(0..5);
                limited.limit(skip, Some(self.random.random_range(1..50)))
            }
            11 => input.sort(self.all_columns()),
            12 => input.repartition(match self.random.random_range(0..2) {
                0 => Partitioning::RoundRobinBatch(3),
                _ => Partitioning::Hash(vec![col("c1")], 4),
            }),
            _ => self.subquery(input).await,
        }
    }

    fn all_columns(&self) -> Vec<Sort> {
        vec![col("c0").sort(true, true), col("c1").sort(false, false), col("c2").sort(true, true)]
    }

    fn window(&mut self, input: DataFrame) -> Result<DataFrame> {
        let partition = if self.random.random_bool(0.7) { vec![col("c0")] } else { vec![] };
        let number = row_number().partition_by(partition).order_by(self.all_columns()).build()?;
        let as_number = datafusion::logical_expr::cast(col("w"), arrow::datatypes::DataType::Int64);
        input.window(vec![number.alias("w")])?.select(vec![col("c0"), as_number.alias("c1"), col("c2")])
    }

    async fn sides(&mut self, input: DataFrame, depth: usize) -> Result<(DataFrame, DataFrame)> {
        let other = Box::pin(self.frame(depth - 1)).await?;
        // Bounded, or a few joins in a row give millions of rows.
        let left = input.sort(self.all_columns())?.limit(0, Some(60))?;
        let right = if self.random.random_bool(0.5) {
            other.distinct()?.sort(self.all_columns())?.limit(0, Some(60))?
        } else {
            other
        };
        let rename = |frame: DataFrame, side: &str| {
            frame.select((0..3).map(|n| col(format!("c{n}")).alias(format!("{side}{n}"))).collect::<Vec<Expr>>())
        };
        Ok((rename(left, "l")?, rename(right, "r")?))
    }

    fn kept(&self, joined: DataFrame, kind: JoinType) -> Result<DataFrame> {
        let names = match kind {
            JoinType::LeftSemi | JoinType::LeftAnti => ["l0", "l1", "l2"],
            JoinType::RightSemi | JoinType::RightAnti => ["r0", "r1", "r2"],
            _ => ["l0", "r1", "l2"],
        };
        let columns = names.into_iter().enumerate().map(|(n, name)| col(name).alias(format!("c{n}")));
        joined.select(columns.collect::<Vec<_>>())
    }

    async fn join(&mut self, input: DataFrame, depth: usize) -> Result<DataFrame> {
        let (left, right) = self.sides(input, depth).await?;
        let kind = JOINS[self.random.random_range(0..JOINS.len())];
        let filter = self.random.random_bool(0.3).then(|| col("l1").lt(col("r1")));
        let joined = left.join(right, kind, &["l0"], &["r0"], filter)?;
        self.kept(joined, kind)
    }

    async fn nested_loop_join(&mut self, input: DataFrame, depth: usize) -> Result<DataFrame> {
        let (left, right) = self.sides(input, depth).await?;
        let kind = JOINS[self.random.random_range(0..JOINS.len())];
        let joined = left.join_on(right, kind, [col("l1").lt(col("r1")), col("r0").lt(lit(3_i64))])?;
        self.kept(joined, kind)
    }

    async fn subquery(&mut self, input: DataFrame) -> Result<DataFrame> {
        let table = self.context.table("t1").await?;
        let plan = LogicalPlanBuilder::from(table.into_unoptimized_plan())
            .aggregate(Vec::<Expr>::new(), vec![max(col("c0")).alias("m")])?
            .build()?;
        input.filter(col("c0").lt(scalar_subquery(Arc::new(plan))))
    }
}

async fn random_frame(context: &SessionContext, seed: u64) -> Result<DataFrame> {
    let mut random = StdRng::seed_from_u64(seed);
    let depth = random.random_range(1..5);
    Generator { context, random }.frame(depth).await
}

async fn check(seeds: std::ops::Range<u64>, settings: ExecutionSettings) {
    let cluster = cluster(3);
    for seed in seeds {
        let expected = random_frame(&plain_session(seed), seed).await.unwrap().collect().await.unwrap();
        let frame = random_frame(&session(&settings, seed), seed).await.unwrap();
        let plan = frame.create_physical_plan().await.unwrap();
        let shown = displayable(plan.as_ref()).indent(false).to_string();
        let graph = firesteel_engine::stages::cut(Arc::clone(&plan), &settings).unwrap().display();
        let found = match cluster.run_to_completion(plan, options(&settings)).await {
            Ok(found) => found,
            Err(error) => panic!("seed {seed}: {error}\n{shown}\n{graph}"),
        };
        let (found, expected) = (sorted(result_rows(&found)), sorted(rows(&expected)));
        assert!(found == expected, "seed {seed}:\n{shown}\n{graph}\nfound {found:#?}\nexpected {expected:#?}");
    }
}

#[tokio::test]
async fn broadcast_joins_give_what_one_run_gives() {
    check(0..150, settings()).await;
}

#[tokio::test]
async fn partitioned_joins_give_what_one_run_gives() {
    check(1000..1150, ExecutionSettings { broadcast_bytes_max: 0, ..settings() }).await;
}

#[tokio::test]
async fn merged_partitions_give_what_one_run_gives() {
    let adaptive = AdaptiveSettings {
        coalesce: true,
        advisory_partition_bytes: 600,
        min_partition_bytes: 300,
        min_partitions: 2,
        ..AdaptiveSettings::default()
    };
    check(2000..2150, ExecutionSettings { broadcast_bytes_max: 0, adaptive, ..settings() }).await;
}

#[tokio::test]
async fn split_partitions_of_joins_give_what_one_run_gives() {
    for coalesce in [false, true] {
        let adaptive = AdaptiveSettings {
            coalesce,
            advisory_partition_bytes: 100,
            min_partition_bytes: 50,
            skew: Some(SkewSettings { factor: 0.0, bytes_min: 1 }),
            ..AdaptiveSettings::default()
        };
        check(4000..4100, ExecutionSettings { broadcast_bytes_max: 0, adaptive, ..settings() }).await;
    }
}

#[tokio::test]
async fn small_queries_give_what_one_run_gives() {
    check(3000..3150, ExecutionSettings { small_query_bytes: 4 << 20, ..settings() }).await;
}

#[tokio::test]
async fn sorted_results_come_in_order() {
    let cluster = cluster(3);
    for (seed, small_query_bytes) in [(1, 0), (2, 0), (3, 0), (4, 4 << 20)] {
        let settings = ExecutionSettings { small_query_bytes, ..settings() };
        let query = |context: SessionContext| async move {
            let frame = context.table("t0").await?.union(context.table("t1").await?)?;
            let order = ["c0", "c1", "c2"].map(|name| col(name).sort(false, false));
            frame.filter(col("c1").gt(lit(10)))?.sort(order.to_vec())
        };
        let expected = query(plain_session(seed)).await.unwrap().collect().await.unwrap();
        let plan = query(session(&settings, seed)).await.unwrap().create_physical_plan().await.unwrap();
        let found = cluster.run_to_completion(plan, options(&settings)).await.unwrap();
        assert_eq!(result_rows(&found), rows(&expected));
    }
}
