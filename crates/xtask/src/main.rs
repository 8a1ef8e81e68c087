//! What the developers of chatkeep do daily.

fn main() {}
