//! What the disk does by itself: the plainest program that writes as much.

use std::time::Instant;

use anyhow::Result;
use rusqlite::params;
use tokio::task::block_in_place;

use super::Scale;
use super::figures::Times;
use crate::data::{TEXT, new_id};
use crate::floor::sqlite::connect;

/// The messages of a transaction: as many as callers wait.
const GROUP: usize = 16;

/// Inserts as many messages into a file of its own, and times each transaction.
pub(super) fn times(scale: &Scale<'_>, name: &str) -> Result<Times> {
    let connection = connect(&scale.folder.path().join(name))?;
    connection.execute_batch("CREATE TABLE plain (id BLOB PRIMARY KEY, content TEXT NOT NULL)")?;
    let (content, count) = (TEXT.repeat(4), scale.size.appends / GROUP);
    let write = || {
        let start = Instant::now();
        connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        let mut insert = connection.prepare_cached("INSERT INTO plain (id, content) VALUES (?1, ?2)")?;
        for _ in 0..GROUP {
            insert.execute(params![new_id().as_bytes(), content])?;
        }
        connection.prepare_cached("COMMIT")?.execute([])?;
        Ok(start.elapsed())
    };
    Ok(Times::of(block_in_place(|| (0..count).map(|_| write()).collect::<Result<Vec<_>>>())?))
}
