//! How many SparkJobs an operator brings to their end: `make bench-operator`, against the API server of KUBECONFIG.
//!
//! ```text
//!   load     POST SparkJobs at a rate ----> API server <---- operator (one core, 256 MiB), the real program
//!   kubelet  a Node that is none: binds drivers' pods, Running, Succeeded ^
//!   clock    apply -> driver pod created -> job Succeeded, from watches
//! ```
//!
//! Everything is real but the pods. Prints one line per measurement, `name value unit`.
#![allow(clippy::print_stdout)]

mod clock;
mod cluster;
mod kubelet;
mod load;
mod process;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Parser;
use kube::Client;

use crate::clock::Clock;
use crate::process::{Limits, Operator};

/// What goes wrong ends the measurement.
type Failure = Box<dyn std::error::Error + Send + Sync>;

/// How long jobs may take after the last was applied.
const PATIENCE: Duration = Duration::from_secs(600);

#[derive(Parser)]
#[command(about = "Measures how many SparkJobs an operator brings to their end")]
struct Arguments {
    /// The operator's program.
    #[arg(long, value_name = "FILE")]
    operator: PathBuf,
    /// Jobs in all.
    #[arg(long, default_value_t = 5000)]
    jobs: usize,
    /// Jobs applied in a minute; 0: as fast as the API server takes them.
    #[arg(long, default_value_t = 1200)]
    rate: u32,
    /// What a driver's program takes.
    #[arg(long, default_value_t = 1000, value_name = "MILLISECONDS")]
    run: u64,
    /// Cores that the operator may use.
    #[arg(long, default_value_t = 1.0)]
    cores: f64,
    /// Memory that the operator may use.
    #[arg(long, default_value_t = 256, value_name = "MIB")]
    memory: u64,
    /// Namespace that is made and deleted.
    #[arg(long, default_value = "firesteel-bench")]
    namespace: String,
    /// Leaves the namespace with its jobs.
    #[arg(long)]
    keep: bool,
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let arguments = Arguments::parse();
    let client = Client::try_default().await?;
    cluster::prepare(&client, &arguments.namespace).await?;
    let clock = Arc::new(Clock::default());
    let run = Duration::from_millis(arguments.run);
    let node = tokio::spawn(kubelet::run(client.clone(), arguments.namespace.clone(), Arc::clone(&clock), run));
    let limits = Limits { cores: arguments.cores, memory_bytes: arguments.memory << 20 };
    let mut operator = Operator::start(&arguments.operator, &arguments.namespace, &limits).await?;
    let watch = tokio::spawn(clock::watch_jobs(client.clone(), arguments.namespace.clone(), Arc::clone(&clock)));
    let outcome = measure(&client, &arguments, &clock, &mut operator).await;
    operator.stop().await?;
    node.abort();
    watch.abort();
    if !arguments.keep {
        cluster::remove(&client, &arguments.namespace).await?;
    }
    outcome
}

async fn measure(
    client: &Client,
    arguments: &Arguments,
    clock: &Arc<Clock>,
    operator: &mut Operator,
) -> Result<(), Failure> {
    tokio::time::sleep(Duration::from_secs(3)).await;
    report("operator_memory_before", operator.usage()?.memory_bytes as f64 / MIB, "MiB");
    let calls_before = cluster::calls(client).await?;
    let usage_before = operator.usage()?;
    let started = Instant::now();
    load::apply(client, &arguments.namespace, arguments.jobs, arguments.rate, clock).await?;
    report("applied_per_minute", per_minute(arguments.jobs, started.elapsed()), "jobs");
    clock.wait_finished(arguments.jobs, PATIENCE).await?;
    let took = started.elapsed();
    let usage = operator.usage()?;
    let busy = (usage.cpu - usage_before.cpu).as_secs_f64();
    report("finished_per_minute", per_minute(arguments.jobs, took), "jobs");
    report("operator_cpu_per_job", busy * 1000.0 / arguments.jobs as f64, "ms");
    report("operator_cpu_share", 100.0 * busy / took.as_secs_f64(), "% of a core");
    clock.report();
    // What successful jobs leave is deleted after their end.
    tokio::time::sleep(Duration::from_secs(10)).await;
    let usage = operator.usage()?;
    report("finished_jobs", arguments.jobs as f64, "jobs");
    report("operator_memory_after", usage.memory_bytes as f64 / MIB, "MiB");
    report("operator_memory_peak", usage.memory_peak_bytes as f64 / MIB, "MiB");
    println!("calls of the operator and of this program, per job:");
    let mut calls = cluster::calls(client).await?;
    calls.retain(|name, count| {
        *count -= calls_before.get(name).copied().unwrap_or(0.0);
        *count >= arguments.jobs as f64 / 20.0
    });
    for (name, count) in calls {
        println!("  {:<36} {:.2}", name, count / arguments.jobs as f64);
    }
    Ok(())
}

const MIB: f64 = (1 << 20) as f64;

fn per_minute(jobs: usize, took: Duration) -> f64 {
    60.0 * jobs as f64 / took.as_secs_f64()
}

pub(crate) fn report(name: &str, value: f64, unit: &str) {
    println!("{name} {value:.1} {unit}");
}
