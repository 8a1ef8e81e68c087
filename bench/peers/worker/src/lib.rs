//! A system that is measured runs in a process of its own, which reads commands and writes answers, each a line of JSON.
//!
//! [`Command`] and [`Answer`] are that protocol; [`serve`] is the process, for a system written in Rust. `peers.py` is
//! the same for the systems written in Python.

mod measure;
mod protocol;
mod serve;

pub use protocol::{About, Answer, Command, Loaded, Rate, Target};
pub use serve::{Store, serve};

/// The version of a package in the text of a `Cargo.lock`.
pub fn locked_version(lock: &str, package: &str) -> String {
    let line = format!("name = \"{package}\"");
    let version = lock.lines().skip_while(|it| *it != line).find_map(|it| it.strip_prefix("version = "));
    version.unwrap_or("unknown").trim_matches('"').to_owned()
}
