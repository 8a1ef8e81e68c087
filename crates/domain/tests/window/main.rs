//! What a window promises.

mod any_order;
mod examples;
mod properties;
mod random;
mod shapes;
mod with_and_without_ids;
