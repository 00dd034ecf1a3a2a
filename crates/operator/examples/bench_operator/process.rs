//! The operator as a process that may use so much and no more, as a container's limits would have it.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use tokio::process::{Child, Command};

use crate::Failure;

const CGROUPS: &str = "/sys/fs/cgroup";
const GROUP: &str = "firesteel-bench-operator";
/// Of the scheduler that gives out time to a group.
const PERIOD_US: f64 = 100_000.0;
const LISTEN: &str = "127.0.0.1:18080";
/// Linux counts a process's time in hundredths of a second.
const TICK: Duration = Duration::from_millis(10);

/// What the operator may use.
pub(crate) struct Limits {
    pub(crate) cores: f64,
    pub(crate) memory_bytes: u64,
}

/// What it has used.
pub(crate) struct Usage {
    pub(crate) cpu: Duration,
    pub(crate) memory_bytes: u64,
    pub(crate) memory_peak_bytes: u64,
}

/// The operator that is measured.
pub(crate) struct Operator {
    child: Child,
    id: u32,
    groups: Vec<PathBuf>,
}

impl Operator {
    /// Starts it and holds it to the limits; an error where the machine does not let us.
    pub(crate) async fn start(program: &Path, namespace: &str, limits: &Limits) -> Result<Self, Failure> {
        let mut command = Command::new(program);
        command.args(["run", "--namespace", namespace, "--network-policy", "--service-account", "default"]);
        command.args(["--listen", LISTEN]).stdout(Stdio::null()).kill_on_drop(true);
        let child = command.spawn()?;
        let id = child.id().ok_or("the operator ended at once")?;
        let groups = hold(id, limits).map_err(|error| format!("cannot hold the operator to its limits: {error}"))?;
        let mut operator = Self { child, id, groups };
        let begun = Instant::now();
        while tokio::net::TcpStream::connect(LISTEN).await.is_err() {
            if let Some(status) = operator.child.try_wait()? {
                return Err(format!("the operator ended: {status}").into());
            }
            if begun.elapsed() > Duration::from_secs(30) {
                return Err("the operator does not come up".into());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Ok(operator)
    }

    /// Read from Linux's own books.
    pub(crate) fn usage(&mut self) -> Result<Usage, Failure> {
        if let Some(status) = self.child.try_wait()? {
            return Err(format!("the operator ended: {status}").into());
        }
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.id))?;
        let (_, fields) = stat.rsplit_once(") ").ok_or("no times")?;
        let fields: Vec<&str> = fields.split(' ').collect();
        let ticks: u32 = fields[11].parse::<u32>()? + fields[12].parse::<u32>()?;
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id))?;
        let size = |name: &str| -> Result<u64, Failure> {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).ok_or("no sizes")?;
            Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? << 10)
        };
        Ok(Usage { cpu: TICK * ticks, memory_bytes: size("VmRSS:")?, memory_peak_bytes: size("VmHWM:")? })
    }

    /// Ends it.
    pub(crate) async fn stop(mut self) -> Result<(), Failure> {
        self.child.kill().await?;
        for group in &self.groups {
            std::fs::remove_dir(group)?;
        }
        Ok(())
    }
}

/// Puts a process into a control group with these limits, of either version.
fn hold(process: u32, limits: &Limits) -> std::io::Result<Vec<PathBuf>> {
    let root = Path::new(CGROUPS);
    let quota = (limits.cores * PERIOD_US) as u64;
    let memory = limits.memory_bytes.to_string();
    let settings: &[(&str, &str, String)] = if root.join("cgroup.controllers").exists() {
        std::fs::write(root.join("cgroup.subtree_control"), "+cpu +memory")?;
        &[("", "cpu.max", format!("{quota} {PERIOD_US}")), ("", "memory.max", memory)]
    } else {
        &[("cpu", "cpu.cfs_quota_us", quota.to_string()), ("memory", "memory.limit_in_bytes", memory)]
    };
    let mut groups = Vec::new();
    for (controller, file, value) in settings {
        let group = root.join(controller).join(GROUP);
        std::fs::create_dir_all(&group)?;
        std::fs::write(group.join(file), value)?;
        std::fs::write(group.join("cgroup.procs"), process.to_string())?;
        if !groups.contains(&group) {
            groups.push(group);
        }
    }
    Ok(groups)
}
