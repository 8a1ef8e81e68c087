//! The migration CLI of chatkeep.

fn main() {}
