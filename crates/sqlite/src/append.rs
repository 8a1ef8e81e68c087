//! The append.

use std::borrow::Cow;

use chatkeep_domain::{
    Append, Appended, ContentKey, ExternalId, NewMessage, OrgId, Position, Scope, StoreError, ThreadId,
    UserId,
};
use rusqlite::Connection;

use crate::error::{Answer, Result};
use crate::index::{self, Owner};
use crate::store::Context;
use crate::threads::InThread;

/// A content longer than this is indexed with its own append, in bytes as it is kept; so is an append of so many messages: they need
/// not be read once more.
const LONG: usize = 64 * 1_024;
const MANY: usize = 64;

/// Does nothing where the thread holds the id.
const INSERT: &str = "
    INSERT INTO chat_message (thread, org, chat_thread_id, position, id, sender_id, sender_role, content, created_at,
        updated_at, pending, external_id)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9, ?10, ?11)
    ON CONFLICT (thread, id) DO NOTHING";

const ADVANCE: &str = "
    UPDATE chat_thread
    SET head = ?2, updated_at = MAX(updated_at, ?3), message_count = message_count + ?4, version = version + 1
    WHERE key = ?1";

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
    pub(crate) fn new(scope: &Scope, thread: ThreadId, append: Append, context: &Context) -> Answer<Self> {
        append.validate()?;
        append.branch.require_main()?;
        let sealed = scope.org_id().map(|org| seal(&append.messages, org, thread, context)).transpose()?;
        Ok(Self { scope: scope.clone(), thread, append, sealed })
    }

    /// Stores the messages that the thread does not hold yet, and gives all of them as they are stored.
    pub(crate) fn write(&self, connection: &Connection, context: &Context) -> Result<Appended> {
        let (id, append) = (self.thread, &self.append);
        let found = InThread::find(connection, context, &self.scope, id)?;
        let thread = &found.thread;
        let mut head = Position::new(thread.head)?;
        if let Err(conflict) = append.check_expected(head, thread.version) {
            return retried(&found, append, head, conflict);
        }
        let sealed = match &self.sealed {
            Some(sealed) => Cow::Borrowed(sealed),
            None => Cow::Owned(seal(&append.messages, &thread.org_id, id, context)?),
        };
        let mut updated_at = i64::MIN;
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
                new.external_id.as_ref().map(ExternalId::as_str),
            );
            if insert.execute(values)? == 0 {
                let known = found.message(new.id)?;
                new.check_held(&known)?;
                stored.push(known);
                continue;
            }
            if at_once {
                index_at_once(&found, new)?;
            } else {
                context.backlog.note_pending(sealed.len());
            }
            (head, updated_at) = (position, updated_at.max(created_at));
            stored.push(new.clone().into_message(id, position));
        }
        if head == count_before {
            return Ok(Appended::new(stored, head, thread.version));
        }
        let count = head.get() - count_before.get();
        connection.prepare_cached(ADVANCE)?.execute((thread.key, head.get(), updated_at, count))?;
        Ok(Appended::new(stored, head, thread.version.next()))
    }
}

/// Each by itself: one that fails leaves the others as they are, unless SQLite has ended the transaction, or a later one to the
/// same thread might succeed without it.
pub(crate) fn write_each(
    connection: &Connection,
    appends: &[Prepared],
    context: &Context,
) -> Result<Vec<Answer<Appended>>> {
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

fn seal(messages: &[NewMessage], org: &OrgId, thread: ThreadId, context: &Context) -> Answer<Vec<String>> {
    let seal =
        |message: &NewMessage| context.seal(&message.content, &ContentKey::new(org, thread, message.id));
    messages.iter().map(seal).collect()
}

fn index_at_once(found: &InThread<'_>, new: &NewMessage) -> Result<()> {
    let document = found.context.codec.document(&new.content).unwrap_or_default();
    let (thread, sender) = (&found.thread, new.sender_id.as_ref().map(UserId::as_str));
    let owner = Owner { org: thread.org, thread: thread.key, user: &thread.user, sender };
    index::insert(found.connection, found.connection.last_insert_rowid(), owner, &document)
}

/// An append that comes again finds its messages whatever the thread is like by now; any other was too late.
fn retried(found: &InThread<'_>, append: &Append, head: Position, conflict: StoreError) -> Result<Appended> {
    let mut stored = Vec::with_capacity(append.messages.len());
    for new in &append.messages {
        if let Some(known) = found.find_message(new.id)? {
            new.check_held(&known)?;
            stored.push(known);
        }
    }
    if stored.len() < append.messages.len() {
        return Err(conflict.into());
    }
    Ok(Appended::new(stored, head, found.thread.version))
}
