use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

/// How a step of several ended.
pub(crate) struct Outcome {
    name: String,
    ok: bool,
    time: Duration,
}

impl Outcome {
    /// Runs a step, and shows its error. A failed step does not hide what the later ones have to say.
    pub(crate) fn of(name: impl Into<String>, run: impl FnOnce() -> Result<()>) -> Self {
        let name = name.into();
        println!("\n=== {name}");
        let start = Instant::now();
        let result = run();
        if let Err(error) = &result {
            eprintln!("error: {error:#}");
        }
        let outcome = Self { name, ok: result.is_ok(), time: start.elapsed() };
        outcome.print();
        outcome
    }

    fn print(&self) {
        let verdict = if self.ok { "ok" } else { "FAILED" };
        println!("{:<14}{verdict:<7}{:>7.1} s", self.name, self.time.as_secs_f64());
    }
}

/// Shows all outcomes once more, and fails when one of the steps did.
pub(crate) fn summary(outcomes: &[Outcome]) -> Result<()> {
    println!("\n=== summary");
    outcomes.iter().for_each(Outcome::print);
    let failed: Vec<&str> = outcomes.iter().filter(|it| !it.ok).map(|it| it.name.as_str()).collect();
    ensure!(failed.is_empty(), "failed: {}", failed.join(", "));
    Ok(())
}
