//! Between plain types and messages.

use std::time::Duration;

use firesteel_model::error::PortableError;
use firesteel_model::ids::{Attempt, ExecutorId, Partition, StageId, TaskAttempt, TaskId};

use crate::error::RpcError;
use crate::message::{
    AttemptReport, BlobHash, Hello, InputRef, Launch, Load, Metrics, Outcome, Report, ResultHeader, Stop, Welcome,
};
use crate::wire;

type Result<T> = std::result::Result<T, RpcError>;

pub(crate) fn attempt_to(attempt: TaskAttempt) -> wire::Attempt {
    wire::Attempt { stage: attempt.task.stage.0, partition: attempt.task.partition.0, attempt: attempt.attempt.0 }
}

pub(crate) fn attempt_from(attempt: wire::Attempt) -> TaskAttempt {
    let task = TaskId { stage: StageId(attempt.stage), partition: Partition(attempt.partition) };
    TaskAttempt { task, attempt: Attempt(attempt.attempt) }
}

fn required_attempt(attempt: Option<wire::Attempt>) -> Result<TaskAttempt> {
    attempt.map(attempt_from).ok_or(RpcError::Malformed("its attempt"))
}

pub(crate) fn hash_from(bytes: &[u8]) -> Result<BlobHash> {
    bytes.try_into().map(BlobHash).map_err(|_| RpcError::Malformed("a hash"))
}

pub(crate) fn hello_to(hello: &Hello) -> wire::Hello {
    wire::Hello {
        executor: hello.executor.0,
        slots: hello.slots,
        memory_bytes: hello.memory_bytes,
        address: hello.address.clone(),
        running: hello.running.iter().copied().map(attempt_to).collect(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        draining: hello.draining,
    }
}

pub(crate) fn hello_from(hello: wire::Hello) -> Result<Hello> {
    if hello.version != env!("CARGO_PKG_VERSION") {
        let text = format!("an executor of version {} by a driver of {}", hello.version, env!("CARGO_PKG_VERSION"));
        return Err(RpcError::Refused(text));
    }
    Ok(Hello {
        executor: ExecutorId(hello.executor),
        slots: hello.slots,
        memory_bytes: hello.memory_bytes,
        address: hello.address,
        running: hello.running.into_iter().map(attempt_from).collect(),
        draining: hello.draining,
    })
}

pub(crate) fn welcome_to(welcome: Welcome) -> wire::Welcome {
    let heartbeat_interval_ms = u64::try_from(welcome.heartbeat_interval.as_millis()).unwrap_or(u64::MAX);
    wire::Welcome { heartbeat_interval_ms, application: welcome.application }
}

pub(crate) fn welcome_from(welcome: wire::Welcome) -> Welcome {
    let heartbeat_interval = Duration::from_millis(welcome.heartbeat_interval_ms.max(1));
    Welcome { heartbeat_interval, application: welcome.application }
}

pub(crate) fn launch_to(launch: &Launch) -> wire::Launch {
    let input = |input: &InputRef| wire::Input { stage: input.stage, outputs: input.outputs.0.to_vec() };
    wire::Launch {
        attempt: Some(attempt_to(launch.attempt)),
        partition: launch.partition,
        plan: launch.plan.0.to_vec(),
        inputs: launch.inputs.iter().map(input).collect(),
        to_driver: launch.to_driver,
    }
}

pub(crate) fn launch_from(launch: &wire::Launch) -> Result<Launch> {
    let input = |input: &wire::Input| Ok(InputRef { stage: input.stage, outputs: hash_from(&input.outputs)? });
    Ok(Launch {
        attempt: required_attempt(launch.attempt)?,
        partition: launch.partition,
        plan: hash_from(&launch.plan)?,
        inputs: launch.inputs.iter().map(input).collect::<Result<_>>()?,
        to_driver: launch.to_driver,
    })
}

pub(crate) fn stop_to(stop: Stop) -> wire::StopKind {
    match stop {
        Stop::Idle => wire::StopKind::Idle,
        Stop::Drained => wire::StopKind::Drained,
        Stop::ApplicationEnded => wire::StopKind::ApplicationEnded,
    }
}

pub(crate) fn stop_from(stop: i32) -> Stop {
    match wire::StopKind::try_from(stop) {
        Ok(wire::StopKind::Idle) => Stop::Idle,
        Ok(wire::StopKind::Drained) => Stop::Drained,
        Ok(wire::StopKind::ApplicationEnded | wire::StopKind::Unspecified) | Err(_) => Stop::ApplicationEnded,
    }
}

pub(crate) fn report_to(report: &Report, number: u64) -> wire::Report {
    let Load { running, pool_bytes, resident_bytes } = report.load;
    wire::Report {
        number,
        ended: report.ended.iter().map(end_to).collect(),
        load: Some(wire::Load { running, pool_bytes, resident_bytes }),
        draining: report.draining,
    }
}

pub(crate) fn report_from(report: wire::Report) -> Result<Report> {
    let load = report.load.unwrap_or_default();
    Ok(Report {
        ended: report.ended.into_iter().map(end_from).collect::<Result<_>>()?,
        load: Load { running: load.running, pool_bytes: load.pool_bytes, resident_bytes: load.resident_bytes },
        draining: report.draining,
    })
}

fn end_to(report: &AttemptReport) -> wire::AttemptEnd {
    let end = match &report.outcome {
        Outcome::Succeeded(output) => wire::End::Output(output.clone()),
        Outcome::Failed(error) => wire::End::Error(PortableError::from(error).to_bytes().into()),
        Outcome::FetchFailed(input) => wire::End::FetchFailed(attempt_to(*input)),
        Outcome::Killed => wire::End::Killed(true),
        Outcome::Refused => wire::End::Refused(true),
    };
    let Metrics { rows, bytes, scanned_bytes, spilled_bytes, duration } = report.metrics;
    let duration_us = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
    let metrics = wire::Metrics { rows, bytes, scanned_bytes, spilled_bytes, duration_us };
    wire::AttemptEnd { attempt: Some(attempt_to(report.attempt)), end: Some(end), metrics: Some(metrics) }
}

fn end_from(end: wire::AttemptEnd) -> Result<AttemptReport> {
    let outcome = match end.end.ok_or(RpcError::Malformed("how an attempt ended"))? {
        wire::End::Output(output) => Outcome::Succeeded(output),
        wire::End::Error(error) => Outcome::Failed(PortableError::from_bytes(&error).into()),
        wire::End::FetchFailed(input) => Outcome::FetchFailed(attempt_from(input)),
        wire::End::Killed(_) => Outcome::Killed,
        wire::End::Refused(_) => Outcome::Refused,
    };
    let metrics = end.metrics.unwrap_or_default();
    let metrics = Metrics {
        rows: metrics.rows,
        bytes: metrics.bytes,
        scanned_bytes: metrics.scanned_bytes,
        spilled_bytes: metrics.spilled_bytes,
        duration: Duration::from_micros(metrics.duration_us),
    };
    Ok(AttemptReport { attempt: required_attempt(end.attempt)?, outcome, metrics })
}

pub(crate) fn header_to(header: ResultHeader) -> wire::ResultHeader {
    wire::ResultHeader {
        executor: header.executor.0,
        attempt: Some(attempt_to(header.attempt)),
        partitions: header.partitions,
        schema: header.schema,
    }
}

pub(crate) fn header_from(header: wire::ResultHeader) -> Result<ResultHeader> {
    Ok(ResultHeader {
        executor: ExecutorId(header.executor),
        attempt: required_attempt(header.attempt)?,
        partitions: header.partitions,
        schema: header.schema,
    })
}
