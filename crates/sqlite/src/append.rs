//! The append.

use std::borrow::Cow;

use chatkeep_domain::{
    Append, ChatMessage, Codec, ContentKey, NewMessage, OrgId, Position, Scope, StoreError, ThreadId, UserId,
};
use rusqlite::Connection;

use crate::error::{Errors, Result, STORE};
use crate::index::{self, Owner};
use crate::row::Opener;
use crate::stored;
use crate::threads::{self, Found};
use crate::upkeep::Backlog;

/// A content longer than this is indexed with its own append, in bytes as it is kept; so is an append of so many messages: they need
/// not be read once more.
const LONG: usize = 64 * 1_024;
const MANY: usize = 64;

/// Does nothing where the thread holds the id.
const INSERT: &str = "
    INSERT INTO chat_message (thread, org, chat_thread_id, position, id, sender_id, sender_role, content, created_at,
        updated_at, pending)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9, ?10)
    ON CONFLICT (thread, id) DO NOTHING";

const ADVANCE: &str = "
    UPDATE chat_thread
    SET head = ?2, updated_at = MAX(updated_at, ?3), message_count = message_count + ?4
    WHERE key = ?1";

/// What an append needs beside the connection.
#[derive(Debug, Clone)]
pub(crate) struct Context {
    pub(crate) codec: std::sync::Arc<dyn Codec>,
    pub(crate) backlog: Backlog,
    pub(crate) errors: Errors,
}

/// An append whose contents are sealed, as far as that can be done before the thread is known.
#[derive(Debug)]
pub(crate) struct Prepared {
    scope: Scope,
    thread: ThreadId,
    append: Append,
    /// `None` for the operator, who names no organization.
    sealed: Option<Vec<String>>,
}

impl Prepared {
    pub(crate) fn new(scope: &Scope, thread: ThreadId, append: Append, codec: &dyn Codec) -> Result<Self> {
        append.validate()?;
        let sealed = scope.org_id().map(|org| seal(&append.messages, org, thread, codec)).transpose()?;
        Ok(Self { scope: scope.clone(), thread, append, sealed })
    }

    /// Stores the messages that the thread does not hold yet, and gives all of them as they are stored.
    pub(crate) fn write(&self, connection: &Connection, context: &Context) -> Result<Vec<ChatMessage>> {
        let (id, append) = (self.thread, &self.append);
        let thread = threads::find(connection, &self.scope, id)?;
        let opener = Opener { codec: &*context.codec, org: &thread.org_id };
        if let Some(expected) = append.expect_head.filter(|expected| expected.get() != thread.head) {
            return retried(connection, opener, &thread, append, expected);
        }
        let sealed = match &self.sealed {
            Some(sealed) => Cow::Borrowed(sealed),
            None => Cow::Owned(seal(&append.messages, &thread.org_id, id, &*context.codec)?),
        };
        let (mut head, mut updated_at) = (Position::new(thread.head)?, i64::MIN);
        let mut stored = Vec::with_capacity(append.messages.len());
        let mut insert = connection.prepare_cached(INSERT)?;
        let count_before = head;
        for (new, sealed) in append.messages.iter().zip(&*sealed) {
            let position = head.advance(1)?;
            let created_at = new.created_at.timestamp_micros();
            let at_once = sealed.len() > LONG || append.messages.len() >= MANY;
            let values = (
                thread.key,
                thread.org,
                id.as_uuid().as_bytes(),
                position.get(),
                new.id.as_uuid().as_bytes(),
                new.sender_id.as_ref().map(UserId::as_str),
                new.sender_role.as_str(),
                sealed,
                created_at,
                (!at_once).then_some(1),
            );
            if insert.execute(values)? == 0 {
                stored.push(stored::read(connection, opener, thread.key, new.id)?);
                continue;
            }
            if at_once {
                index_at_once(connection, &thread, new, &*context.codec)?;
            } else {
                context.backlog.note_pending(sealed.len());
            }
            (head, updated_at) = (position, updated_at.max(created_at));
            stored.push(new.clone().into_message(id, position));
        }
        if head != count_before {
            let count = head.get() - count_before.get();
            connection.prepare_cached(ADVANCE)?.execute((thread.key, head.get(), updated_at, count))?;
        }
        Ok(stored)
    }
}

/// Each by itself: one that fails leaves the others as they are, unless SQLite has ended the transaction, or a later one to the
/// same thread might succeed without it.
pub(crate) fn write_each(
    connection: &Connection,
    appends: &[Prepared],
    context: &Context,
) -> Result<Vec<Result<Vec<ChatMessage>, StoreError>>> {
    let write = |append: &Prepared| {
        connection.prepare_cached("SAVEPOINT append")?.execute([])?;
        let answer = append.write(connection, context).map_err(|failure| context.errors.from(failure));
        match answer {
            Err(error) if connection.is_autocommit() || matches!(error, StoreError::Unavailable { .. }) => {
                return Err(error.into());
            }
            Err(_) => connection.prepare_cached("ROLLBACK TO append")?.execute([])?,
            Ok(_) => 0,
        };
        connection.prepare_cached("RELEASE append")?.execute([])?;
        Ok(answer)
    };
    appends.iter().map(write).collect()
}

fn seal(messages: &[NewMessage], org: &OrgId, thread: ThreadId, codec: &dyn Codec) -> Result<Vec<String>> {
    let seal = |message: &NewMessage| codec.seal(&message.content, &ContentKey::new(org, thread, message.id));
    let sealed = messages.iter().map(seal).collect::<Result<_, _>>();
    Ok(sealed.map_err(|error| StoreError::backend(STORE, error))?)
}

fn index_at_once(connection: &Connection, thread: &Found, new: &NewMessage, codec: &dyn Codec) -> Result<()> {
    let document = codec.document(&new.content).unwrap_or_default();
    let sender = new.sender_id.as_ref().map(UserId::as_str);
    let owner = Owner { org: thread.org, thread: thread.key, user: &thread.user, sender };
    index::insert(connection, connection.last_insert_rowid(), owner, &document)
}

/// An append that comes again finds its messages wherever the head is by now; any other was too late.
fn retried(
    connection: &Connection,
    opener: Opener<'_>,
    thread: &Found,
    append: &Append,
    expected: Position,
) -> Result<Vec<ChatMessage>> {
    let mut held = Vec::with_capacity(append.messages.len());
    for message in &append.messages {
        match stored::find(connection, thread.key, message.id)? {
            Some(_) => held.push(stored::read(connection, opener, thread.key, message.id)?),
            None => return Err(StoreError::conflict(expected, Position::new(thread.head)?).into()),
        }
    }
    Ok(held)
}
