//! The program under measurement, as a process: what it used, from `/proc`.
//! <https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html>

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// The built program.
const PROGRAM: &str = env!("CARGO_BIN_EXE_careweave");

/// A running careweave.
pub(crate) struct Process {
    child: Child,
}

impl Process {
    /// Starts a command of careweave in a directory that has a `careweave.toml`.
    pub(crate) fn start(dir: &Path, args: &[&str]) -> Self {
        let child = Command::new(PROGRAM)
            .args(args)
            .current_dir(dir)
            .stdout(Stdio::null())
            .spawn()
            .expect("the program starts");
        Self { child }
    }

    /// Waits for its end, looking at its memory meanwhile; whether it did well.
    pub(crate) async fn finish(mut self) -> (bool, Used) {
        let mut used = Used::default();
        loop {
            used = self.used().unwrap_or(used);
            if let Some(status) = self.child.try_wait().expect("its status") {
                return (status.success(), used);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// What it has used so far.
    pub(crate) fn used(&self) -> Option<Used> {
        used_by(&self.child.id().to_string())
    }
}

/// What a process has used so far; "self" is this one.
pub(crate) fn used_by(pid: &str) -> Option<Used> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field is a name in brackets and may hold spaces.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks: u64 = fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?;
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let peak_kb = peak.trim().trim_end_matches(" kB").parse().ok()?;
    // A tick is a hundredth of a second on every Linux that Rust runs on.
    Some(Used { cpu: Duration::from_millis(ticks * 10), peak_kb })
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// CPU time of all threads, and the highest resident memory.
#[derive(Clone, Copy, Default)]
pub(crate) struct Used {
    pub(crate) cpu: Duration,
    pub(crate) peak_kb: u64,
}
