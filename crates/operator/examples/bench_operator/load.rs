//! Applies jobs at a rate.

use std::sync::Arc;
use std::time::{Duration, Instant};

use firesteel_k8s::SparkJob;
use futures::{StreamExt, TryStreamExt, stream};
use kube::api::PostParams;
use kube::{Api, Client};
use serde_json::json;

use crate::clock::Clock;
use crate::{Failure, kubelet};

/// Calls at the same time.
const CALLS_MAX: usize = 16;

/// Applies `count` jobs, `rate` a minute; 0: as fast as they are taken.
pub(crate) async fn apply(
    client: &Client,
    namespace: &str,
    count: usize,
    rate: u32,
    clock: &Arc<Clock>,
) -> Result<(), Failure> {
    let jobs = Api::<SparkJob>::namespaced(client.clone(), namespace);
    let step = if rate == 0 { Duration::ZERO } else { Duration::from_secs(60) / rate };
    let begun = Instant::now();
    stream::iter(0..count)
        .then(|index| async move {
            tokio::time::sleep_until((begun + step * index as u32).into()).await;
            index
        })
        .map(|index| {
            let jobs = jobs.clone();
            async move {
                let name = format!("bench-{index:05}");
                let job = job(&name)?;
                clock.applied(&name, Instant::now());
                jobs.create(&PostParams::default(), &job).await?;
                Ok::<_, Failure>(())
            }
        })
        .buffer_unordered(CALLS_MAX)
        .try_collect::<()>()
        .await
}

/// A job as people write it, with a script of some lines.
fn job(name: &str) -> Result<SparkJob, serde_json::Error> {
    let script = concat!(
        "from pyspark.sql import SparkSession\n\n",
        "spark = SparkSession.builder.appName('sales').getOrCreate()\n\n",
        "orders = spark.read.csv('s3://sales-data/orders.csv', header=True)\n",
        "counts = orders.filter(orders.country == 'US').groupBy('product').count()\n\n",
        "counts.show()\n",
        "counts.write.mode('overwrite').parquet('s3://sales-data/output/')\n",
    );
    serde_json::from_value(json!({
        "apiVersion": "firesteel.dev/v1alpha1",
        "kind": "SparkJob",
        "metadata": { "name": name, "labels": { "team": "sales" } },
        "spec": {
            "main": { "python": { "text": script } },
            "driver": { "cpu": "1", "memory": "2Gi" },
            "executor": { "cpu": "2", "memory": "4Gi", "count": 0 },
            "scheduling": { "schedulerName": kubelet::NODE },
        },
    }))
}
