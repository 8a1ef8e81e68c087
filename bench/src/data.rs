//! What both sides write and ask for.

use chatkeep::{Clock as _, IdGenerator as _, OrgId, Scope, SystemClock, ThreadId, UserId, UuidV7Generator};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The text of every message, except those that are searched.
pub(crate) const TEXT: &str =
    "Could you have a look at the draft of the quarterly report before we meet on Thursday afternoon";

/// The users among whom the threads of the organization go round.
pub(crate) const USERS: usize = 100;

pub(crate) const ORG: &str = "acme";

/// What is in the database before anything is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// As many empty threads, of all users in turn.
    Threads(usize),
    /// One thread, of as many messages.
    Messages(usize),
    /// As many empty threads, of which the first user has [`LISTED`].
    List(usize),
    /// As many organizations, with [`corpus::MESSAGES`](crate::corpus::MESSAGES) each.
    Corpus(usize),
}

/// The threads of the user who lists them.
pub(crate) const LISTED: usize = 5_000;

impl Shape {
    pub(crate) fn threads(self) -> usize {
        match self {
            Self::Threads(count) | Self::List(count) => count,
            Self::Messages(_) => 1,
            Self::Corpus(_) => 0,
        }
    }

    /// Whether its rows write.
    pub(crate) fn is_written(self) -> bool {
        matches!(self, Self::Threads(_))
    }

    /// Whose a thread is.
    pub(crate) fn owner(self, thread: usize) -> usize {
        match self {
            Self::List(_) if thread < LISTED => 0,
            Self::List(_) => 1 + thread % (USERS - 1),
            _ => thread % USERS,
        }
    }
}

pub(crate) fn user(number: usize) -> String {
    format!("user-{number}")
}

pub(crate) fn scope(number: usize) -> Scope {
    Scope::user(OrgId::new(ORG).expect("a short id"), UserId::new(user(number)).expect("a short id"))
}

/// The id of a thread: the same on both sides. Later threads have greater ids, as those of products do.
pub(crate) fn thread(number: usize) -> Uuid {
    Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 + number as u128)
}

pub(crate) fn thread_id(number: usize) -> ThreadId {
    thread(number).into()
}

pub(crate) fn new_id() -> Uuid {
    UuidV7Generator.message_id().into()
}

pub(crate) fn now() -> DateTime<Utc> {
    SystemClock.now()
}

/// The column `content` as code by hand reads and writes it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Content<'a> {
    pub(crate) text: std::borrow::Cow<'a, str>,
    #[serde(rename = "type")]
    pub(crate) kind: std::borrow::Cow<'a, str>,
}

/// What code by hand would store of a message.
pub(crate) fn content() -> anyhow::Result<String> {
    Ok(serde_json::to_string(&Content { text: TEXT.into(), kind: "text".into() })?)
}
