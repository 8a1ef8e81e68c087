//! `reindex`: fills the index of searches and filters, while others use the store.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use chatkeep::{Error, Migrations, StoreError};
use indicatif::{ProgressBar, ProgressStyle};

/// Where nobody watches a bar, a line this often.
const REPORT_EVERY: Duration = Duration::from_secs(5);

/// As a shell reports a program that Ctrl-C ended.
const INTERRUPTED: u8 = 130;

/// Says how much is not indexed; 1 if anything is.
pub(crate) async fn check(migrations: &dyn Migrations) -> Result<ExitCode, Error> {
    let (missing, all) = (migrations.count_unindexed().await?, migrations.count_indexable().await?);
    println!("{missing} of {all} threads and messages are not indexed");
    Ok(if missing > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// What is not indexed, or everything anew; 1 if rows were left out, because they are corrupt.
pub(crate) async fn run(migrations: &dyn Migrations, all: bool) -> Result<ExitCode, Error> {
    let mut progress = Progress { bar: bar(0), done: 0, total: 0, reported: Instant::now() };
    let mut batches = migrations.reindex(all);
    let finished = async {
        let total =
            if all { migrations.count_indexable().await? } else { migrations.count_unindexed().await? };
        progress.begin(total);
        loop {
            match batches.next_batch().await? {
                0 => return Ok(()),
                rows => progress.add(rows),
            }
        }
    };
    let outcome: Option<Result<(), StoreError>> = tokio::select! {
        finished = finished => Some(finished),
        // Where it cannot be noticed, it ends the process, which does no harm either.
        Ok(()) = tokio::signal::ctrl_c() => None,
    };
    progress.bar.finish_and_clear();
    for row in batches.corrupt_rows() {
        eprintln!("left out: {row}");
    }
    let (indexed, corrupt) = (progress.done - batches.corrupt(), batches.corrupt());
    let left_out = if corrupt > 0 { format!(", {corrupt} left out as corrupt") } else { String::new() };
    match outcome {
        Some(Ok(())) if progress.done == 0 => println!("nothing to do"),
        Some(Ok(())) => println!("indexed: {indexed} threads and messages{left_out}"),
        Some(Err(error)) => {
            eprintln!("indexed until then, and kept: {indexed} threads and messages{left_out}");
            return Err(error.into());
        }
        None => {
            println!("interrupted: {indexed} threads and messages are indexed{left_out}, and stay so");
            let again = if all { "begin anew with `reindex --all`" } else { "go on with `reindex`" };
            eprintln!("{again}");
            return Ok(ExitCode::from(INTERRUPTED));
        }
    }
    Ok(if corrupt > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// What `up` says behind what it applied.
pub(crate) async fn hint(migrations: &dyn Migrations) {
    // It has applied everything that it was asked to: not to know this is no failure of it.
    if let Ok(missing @ 1..) = migrations.count_unindexed().await {
        eprintln!(
            "{missing} threads and messages are not indexed, and searches and filters do not find them: run \
             `chatkeep-migration reindex`, while the store is in use or not"
        );
    }
}

struct Progress {
    bar: ProgressBar,
    done: u64,
    total: u64,
    reported: Instant,
}

impl Progress {
    fn begin(&mut self, total: u64) {
        self.total = total;
        self.bar = bar(total);
        // Searching for what is to be done takes time too.
        self.bar.enable_steady_tick(Duration::from_millis(100));
    }

    fn add(&mut self, rows: u64) {
        self.done += rows;
        // More may be written meanwhile than was counted.
        self.total = self.total.max(self.done);
        self.bar.set_length(self.total);
        self.bar.set_position(self.done);
        if self.bar.is_hidden() && self.reported.elapsed() >= REPORT_EVERY {
            self.reported = Instant::now();
            eprintln!("{} of {} threads and messages", self.done, self.total);
        }
    }
}

/// On standard error, and drawn only where that is a terminal.
fn bar(total: u64) -> ProgressBar {
    let style =
        ProgressStyle::with_template("{spinner} [{bar:40}] {human_pos}/{human_len}, {per_sec}, {eta} left")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(total).with_style(style)
}
