//! How much a test does: a short form among the tests, and a long one where a variable says so (`cargo xtask soak`).

use std::env;
use std::str::FromStr;

/// The number in a variable, where it is set.
pub(crate) fn figure<T: FromStr>(variable: &str) -> Option<T> {
    let text = env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} must be a number, not {text:?}")))
}
