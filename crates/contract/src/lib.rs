#![doc = include_str!("../README.md")]
#![expect(clippy::missing_panics_doc, reason = "a case, and what it is written with, fails by panicking")]

#[macro_use]
mod refused;

pub mod damage;
pub mod faulty;
pub mod fixture;

mod capability;
mod case;
mod cases;
mod suite;

pub use capability::Capability;
pub use case::{Case, CaseFuture};
pub use cases::all as cases;
pub use fixture::{Fixture, Repo};
pub use suite::{Suite, main};
