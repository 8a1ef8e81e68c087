//! The append.

use std::borrow::Cow;

use chatkeep_domain::{
    Append, Appended, Branch, BranchId, ChatMessage, ContentKey, ExternalId, NewMessage, OrgId, Path,
    Position, Scope, StoreError, ThreadId, UserId,
};
use rusqlite::Connection;

use crate::error::{Answer, Result};
use crate::in_thread::InThread;
use crate::index::{self, Owner};
use crate::store::Context;

/// A content longer than this is indexed with its own append, in bytes as it is kept; so is an append of so many messages: they need
/// not be read once more.
const LONG: usize = 64 * 1_024;
const MANY: usize = 64;

/// Does nothing where the thread holds the id.
const INSERT: &str = "
    INSERT INTO chat_message (thread, org, chat_thread_id, branch, position, id, sender_id, sender_role, content,
        created_at, updated_at, pending, external_id)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?10, ?11, ?12)
    ON CONFLICT (thread, id) DO NOTHING";

const ADVANCE: &str = "
    UPDATE chat_thread
    SET head = COALESCE(?2, head), next_position = ?3, updated_at = MAX(updated_at, ?4),
        message_count = message_count + ?5, version = version + 1
    WHERE key = ?1";

const ADVANCE_BRANCH: &str = "UPDATE chat_branch SET head = ?3 WHERE thread = ?1 AND branch = ?2";

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
        let sealed = scope.org_id().map(|org| seal(&append.messages, org, thread, context)).transpose()?;
        Ok(Self { scope: scope.clone(), thread, append, sealed })
    }

    /// Stores the messages that the thread does not hold yet, and gives all of them as they are stored.
    pub(crate) fn write(&self, connection: &Connection, context: &Context) -> Result<Appended> {
        let (id, append) = (self.thread, &self.append);
        let found = InThread::find(connection, context, &self.scope, id)?;
        let thread = &found.thread;
        let target = Target::find(&found, append.branch)?;
        if let Err(conflict) = append.check_expected(target.head, thread.version) {
            return target.retried(append, conflict);
        }
        let sealed = match &self.sealed {
            Some(sealed) => Cow::Borrowed(sealed),
            None => Cow::Owned(seal(&append.messages, &thread.org_id, id, context)?),
        };
        let mut updated_at = i64::MIN;
        let mut stored = Vec::with_capacity(append.messages.len());
        let mut insert = connection.prepare_cached(INSERT)?;
        let mut last = thread.allotted;
        for (new, sealed) in append.messages.iter().zip(&*sealed) {
            let position = last.advance(1)?;
            let created_at = new.created_at.timestamp_micros();
            let at_once = sealed.len() > LONG || append.messages.len() >= MANY;
            let values = (
                thread.key,
                thread.org,
                id.as_uuid().as_bytes(),
                append.branch.get(),
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
                stored.push(target.held(append, new, found.message(new.id)?)?);
                continue;
            }
            if at_once {
                index_at_once(&found, new)?;
            } else {
                context.backlog.note_pending(sealed.len());
            }
            (last, updated_at) = (position, updated_at.max(created_at));
            let mut message = new.clone().into_message(id, position);
            message.branch = append.branch;
            stored.push(message);
        }
        if last == thread.allotted {
            return Ok(Appended::new(stored, target.head, thread.version));
        }
        target.advance(last, updated_at)?;
        Ok(Appended::new(stored, last, thread.version.next()))
    }
}

/// The branch that gets the messages.
struct Target<'a> {
    found: &'a InThread<'a>,
    /// `None` of the main one.
    branch: Option<Branch>,
    head: Position,
}

impl<'a> Target<'a> {
    fn find(found: &'a InThread<'a>, id: BranchId) -> Result<Self> {
        let branch = if id.is_main() { None } else { Some(found.branch(id)?) };
        let head = branch.as_ref().map_or(found.thread.head, |branch| branch.head);
        Ok(Self { found, branch, head })
    }

    /// A message that the thread holds already, in place of the new one of its id.
    fn held(&self, append: &Append, new: &NewMessage, known: ChatMessage) -> Result<ChatMessage> {
        match &self.branch {
            Some(branch) => append.check_held(new, &known, &branch.path)?,
            None => append.check_held(new, &known, &Path::main())?,
        }
        Ok(known)
    }

    /// An append that comes again finds its messages whatever the thread is like by now; any other was too late.
    fn retried(&self, append: &Append, conflict: StoreError) -> Result<Appended> {
        let mut stored = Vec::with_capacity(append.messages.len());
        for new in &append.messages {
            if let Some(known) = self.found.find_message(new.id)? {
                stored.push(self.held(append, new, known)?);
            }
        }
        if stored.len() < append.messages.len() {
            return Err(conflict.into());
        }
        Ok(Appended::new(stored, self.head, self.found.thread.version))
    }

    /// Notes that positions were given to new messages, up to the last one.
    fn advance(&self, last: Position, updated_at: i64) -> Result<()> {
        let InThread { connection, thread, .. } = self.found;
        let count = last.get() - thread.allotted.get();
        let main_head = self.branch.is_none().then_some(last.get());
        let values = (thread.key, main_head, last.advance(1)?.get(), updated_at, count);
        connection.prepare_cached(ADVANCE)?.execute(values)?;
        if let Some(branch) = &self.branch {
            let values = (thread.key, branch.id.get(), last.get());
            connection.prepare_cached(ADVANCE_BRANCH)?.execute(values)?;
        }
        Ok(())
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
