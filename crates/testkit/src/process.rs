use std::fs;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

const PATIENCE: Duration = Duration::from_secs(30);

/// Kills a process and all its children, and returns when none of them runs.
pub(crate) fn kill_family(parent: Pid) -> Result<()> {
    // Frozen first, so that it makes no child between the listing and the kill.
    send(parent, Signal::SIGSTOP)?;
    wait_until("the process to freeze", || matches!(state(parent), None | Some('T' | 'Z')))?;
    let mut family = children(parent)?;
    family.push(parent);
    for &pid in family.iter().rev() {
        send(pid, Signal::SIGKILL)?;
    }
    // A zombie is gone too: in a container nobody may ever reap it.
    wait_until("killed processes to go", || family.iter().all(|&pid| matches!(state(pid), None | Some('Z'))))
}

/// Calls `done` until it says so.
pub(crate) fn wait_until(what: &str, mut done: impl FnMut() -> bool) -> Result<()> {
    let start = Instant::now();
    while !done() {
        if start.elapsed() > PATIENCE {
            bail!("waited {PATIENCE:?} in vain for {what}");
        }
        sleep(Duration::from_millis(10));
    }
    Ok(())
}

fn send(pid: Pid, signal: Signal) -> Result<()> {
    match kill(pid, signal) {
        Ok(()) | Err(Errno::ESRCH) => Ok(()),
        Err(error) => Err(error).with_context(|| format!("cannot send {signal} to {pid}")),
    }
}

fn children(parent: Pid) -> Result<Vec<Pid>> {
    let processes = fs::read_dir("/proc").context("cannot list processes: no /proc here")?;
    Ok(processes
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok().map(Pid::from_raw))
        .filter(|&pid| stat(pid).is_some_and(|(_, its_parent)| its_parent == parent))
        .collect())
}

fn state(pid: Pid) -> Option<char> {
    stat(pid).map(|(state, _)| state)
}

/// The state and the parent of a process, from `pid (name) state parent …`; the name may hold any character.
fn stat(pid: Pid) -> Option<(char, Pid)> {
    let line = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = line.rsplit_once(')')?.1.split_whitespace();
    let state = fields.next()?.chars().next()?;
    Some((state, Pid::from_raw(fields.next()?.parse().ok()?)))
}
