//! SQLSTATEs, broken connections, poolers, and rows that somebody else wrote.

mod common;
mod postgres {
    mod connections;
    mod database;
    mod lossy_rows;
    mod rows;
    mod schema;
    mod sqlstates;
    mod streams;
    mod waits;
}
