//! The suites that span crates: see the folder `tests`.
