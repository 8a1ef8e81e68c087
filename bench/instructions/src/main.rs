//! Runs one of chatkeep's hot paths, as often as it says, for callgrind to count the instructions:
//! `cargo xtask instructions`.
//!
//! Without an argument it lists the cases, each with the number of operations that it runs.

mod cases;
mod fixed;

use std::env;
use std::process::ExitCode;

use cases::CASES;

fn main() -> ExitCode {
    let Some(name) = env::args().nth(1) else {
        for case in CASES {
            println!("{} {}", case.name, case.operations);
        }
        return ExitCode::SUCCESS;
    };
    let Some(case) = CASES.iter().find(|case| case.name == name) else {
        eprintln!("error: no such case");
        return ExitCode::FAILURE;
    };
    (case.run)(case.operations);
    ExitCode::SUCCESS
}

/// What happens within is counted: callgrind is told this function's name. What it gives back is dropped outside.
#[inline(never)]
fn counted<T>(work: impl FnOnce() -> T) -> T {
    let result = work();
    // So that the work is called from here, and not jumped to in place of a return.
    std::hint::black_box(&result);
    result
}
