//! The layers around stores that do what a test says.

mod block_on;
mod calls;
mod groups;
mod layered;
mod retry;
mod runtimes;
mod scripted;
mod slow;
mod spans;
mod traced;
