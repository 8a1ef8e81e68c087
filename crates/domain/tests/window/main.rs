//! What a window promises.

mod any_order;
mod examples;
mod properties;
mod shapes;
