//! Memory by hand: a map behind a mutex.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result};
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::Floor;
use crate::data::{Shape, TEXT, new_id, now, thread};
use crate::measure::On;

/// A message as a program would hold it.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) id: Uuid,
    pub(crate) role: Role,
    pub(crate) text: String,
    pub(crate) created_at: DateTime<Utc>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Role {
    User,
}

impl Message {
    fn new(text: &str) -> Self {
        Self { id: new_id(), role: Role::User, text: text.to_owned(), created_at: now() }
    }
}

#[derive(Debug, Clone, Default)]
pub(crate) struct MemoryFloor {
    threads: Arc<Mutex<HashMap<Uuid, Vec<Message>>>>,
}

impl MemoryFloor {
    pub(crate) fn load(shape: Shape) -> Self {
        let floor = Self::default();
        let mut threads = floor.threads.lock().unwrap_or_else(PoisonError::into_inner);
        for number in 0..shape.threads() {
            threads.insert(thread(number), Vec::new());
        }
        if let Shape::Messages(count) = shape {
            threads.insert(thread(0), (0..count).map(|_| Message::new(TEXT)).collect());
        }
        drop(threads);
        floor
    }
}

impl Floor for MemoryFloor {
    const ON: On = On::Tasks;

    async fn append(&self, _: usize, number: usize) -> Result<()> {
        let message = Message::new(TEXT);
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        threads.get_mut(&thread(number)).context("no such thread")?.push(message);
        Ok(())
    }
}
