//! The process of a system, seen from here.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use peers_worker::Answer;
use serde::de::DeserializeOwned;

/// A process that answers commands. It ends with this value.
pub(crate) struct Peer {
    child: Child,
    input: ChildStdin,
    answers: Receiver<String>,
    log: std::path::PathBuf,
}

impl Peer {
    /// Starts it; what it says on standard error goes into the file.
    pub(crate) fn start(mut command: Command, log: &Path) -> Result<Self> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(File::create(log)?);
        let mut child = command.spawn().context("it does not start")?;
        let input = child.stdin.take().context("it has no standard input")?;
        let output = BufReader::new(child.stdout.take().context("it has no standard output")?);
        let (sender, answers) = channel();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Ok(Self { child, input, answers, log: log.to_owned() })
    }

    /// Sends a command and waits so many seconds for its answer.
    pub(crate) fn ask<T: DeserializeOwned>(
        &mut self,
        command: &peers_worker::Command,
        seconds: f64,
    ) -> Result<T> {
        let sent = writeln!(self.input, "{}", serde_json::to_string(command)?);
        if sent.is_err() {
            bail!("it ended: {}", self.last_words());
        }
        match self.answers.recv_timeout(Duration::from_secs_f64(seconds)) {
            Ok(line) => match serde_json::from_str(&line)? {
                Answer::Ok(value) => Ok(value),
                Answer::Error(text) => bail!("{text}"),
            },
            Err(RecvTimeoutError::Timeout) => bail!("no answer within {seconds:.0} s"),
            Err(RecvTimeoutError::Disconnected) => bail!("it ended: {}", self.last_words()),
        }
    }

    fn last_words(&self) -> String {
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it said nothing").to_owned()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
