//! What is repeated, what the caller is told, and what is stored after that. Time is paused: it passes where all wait.

mod bench;
mod deadline;
mod each;
mod lost;
mod repeated;
mod stream;
