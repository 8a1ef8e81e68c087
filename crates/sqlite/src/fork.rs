//! Forks: a copy of what a branch shows, made a few messages at a time, which nobody sees until it is whole.
//!
//! Until then the new thread has no organization, and `chat_fork` knows it by the id that it will have. A call that comes again goes on
//! behind the last message that was copied.

use std::sync::Arc;

use chatkeep_domain::{
    BoxError, ChatThread, Content, ContentKey, Entity, Fork, ForkPoint, MessageId, Scope, Segment,
    StoreError, ThreadId,
};
use rusqlite::{Connection, Row};

use crate::error::{Answer, Failure, Result};
use crate::in_thread::{self, InThread};
use crate::index::{self, Owner};
use crate::parts::Range;
use crate::row::uuid;
use crate::store::{Context, SqliteRepository};
use crate::threads;
use crate::unfinished;

/// How many messages a write copies, and after how many bytes of contents it copies no more: the others write in between.
const STEP: usize = 100;
const STEP_BYTES: usize = 1_024 * 1_024;

const COPIED: &str = "SELECT COALESCE(MAX(position), 0) FROM chat_message WHERE thread = ?1 AND branch = 0";

const ORIGINALS: &str = "
    SELECT key, id, content, revision, sender_id FROM chat_message
    WHERE thread = ?1 AND branch = ?2 AND position >= ?3 AND position <= ?4
    ORDER BY position LIMIT ?5";

const COPY: &str = "
    INSERT INTO chat_message (thread, org, chat_thread_id, position, id, external_id, sender_id, sender_role, revision,
        created_at, updated_at, edited_at, pending, content)
    SELECT ?2, org, ?3, position, id, external_id, sender_id, sender_role, revision,
        created_at, updated_at, edited_at, ?4, COALESCE(?5, content)
    FROM chat_message WHERE key = ?1";

const REVISIONS: &str = "SELECT revision, content FROM chat_message_revision WHERE message = ?1";

const COPY_REVISION: &str = "
    INSERT INTO chat_message_revision (message, revision, content, written_at, edited_at)
    SELECT ?3, revision, COALESCE(?4, content), written_at, edited_at
    FROM chat_message_revision WHERE message = ?1 AND revision = ?2";

const ADD: &str = "UPDATE chat_thread SET message_count = message_count + ?2 WHERE key = ?1";

const FINISH: &str = "UPDATE chat_thread SET org = ?2 WHERE key = ?1";

impl SqliteRepository {
    pub(crate) async fn fork(&self, scope: &Scope, origin: ThreadId, fork: Fork) -> Answer<ChatThread> {
        let (context, fork, mut begins) = (self.context(), Arc::new(fork), true);
        loop {
            let (context, scope, fork) = (Arc::clone(&context), scope.clone(), Arc::clone(&fork));
            let of = Arc::clone(&fork);
            let work = move |connection: &Connection| {
                Forking { connection, context: &context, scope: &scope, origin, fork: &of }.step(begins)
            };
            let step = self.write_step(work, Option::is_some);
            match step.await {
                Ok(Some(thread)) => return Ok(thread),
                Ok(None) => begins = false,
                Err(error) => return Err(self.fork_failed(origin, fork, begins, error).await),
            }
        }
    }

    /// Gives the copy up where no call can go on with it. A call that fails when it begins may have met another caller's copy.
    async fn fork_failed(
        &self,
        origin: ThreadId,
        fork: Arc<Fork>,
        begins: bool,
        error: StoreError,
    ) -> StoreError {
        let is_over = match error {
            StoreError::Unavailable { .. } | StoreError::Backend { .. } => false,
            StoreError::CorruptRow { .. } => true,
            _ => !begins,
        };
        if !is_over {
            return error;
        }
        let context = self.context();
        let give_up = move |connection: &Connection| {
            let scope = Scope::org(fork.new.org_id.clone());
            let forking = Forking { connection, context: &context, scope: &scope, origin, fork: &fork };
            forking.give_up()
        };
        // Where this fails, it goes when its origin does.
        let _ = self.write(give_up).await;
        error
    }
}

/// A fork that is being made.
struct Forking<'a> {
    connection: &'a Connection,
    context: &'a Context,
    scope: &'a Scope,
    origin: ThreadId,
    fork: &'a Fork,
}

impl Forking<'_> {
    /// Copies some more; gives the fork once it is whole. A call that `begins` takes an id from another fork that is not whole yet: of
    /// two calls that want the same id, the last one to begin gets it.
    fn step(&self, begins: bool) -> Result<Option<ChatThread>> {
        if let Some(known) = self.find()? {
            return Ok(Some(known));
        }
        let origin = InThread::find(self.connection, self.context, self.scope, self.origin)?;
        let parent = origin.any_branch(self.fork.from.branch)?;
        let fork = self.fork.clone().into_thread(&origin.thread.org_id, &parent)?;
        let copy = match self.unfinished(origin.thread.org)? {
            Some((key, true)) => key,
            Some(_) if !begins => return Err(self.taken().into()),
            Some((key, false)) => {
                unfinished::give_up(self.connection, &self.context.backlog, key)?;
                self.begin(&origin, &fork)?
            }
            None => self.begin(&origin, &fork)?,
        };
        if !self.copy_some(&origin, copy, &parent.path.up_to(self.fork.from.through))? {
            return Ok(None);
        }
        unfinished::forget(self.connection, copy)?;
        self.connection.prepare_cached(FINISH)?.execute((copy, origin.thread.org))?;
        threads::read_key(self.connection, copy, &fork.org_id).map(Some)
    }

    /// The fork where it is whole already.
    fn find(&self) -> Result<Option<ChatThread>> {
        let new = &self.fork.new;
        if in_thread::find_org(self.connection, &new.org_id)?.is_none() {
            return Ok(None);
        }
        let found = match in_thread::find(self.connection, &Scope::org(new.org_id.clone()), new.id) {
            Err(Failure::Store(StoreError::NotFound { .. })) => return Ok(None),
            found => threads::read(self.connection, &found?)?,
        };
        if found.forked_from != Some(ForkPoint::new(self.origin, self.fork.from)) {
            return Err(self.taken().into());
        }
        Ok(new.held(found).map(Some)?)
    }

    fn taken(&self) -> StoreError {
        StoreError::already_exists(Entity::Thread, self.fork.new.id)
    }

    /// The key of what has the id and is not whole yet, and whether it is this fork.
    fn unfinished(&self, org: i64) -> Result<Option<(i64, bool)>> {
        let new = &self.fork.new;
        let Some(key) = unfinished::find(self.connection, org, new.id)? else { return Ok(None) };
        let thread = threads::read_key(self.connection, key, &new.org_id)?;
        let is_ours = thread.forked_from == Some(ForkPoint::new(self.origin, self.fork.from))
            && new.held(thread).is_ok();
        Ok(Some((key, is_ours)))
    }

    /// Gives the key of the new thread.
    fn begin(&self, origin: &InThread<'_>, fork: &ChatThread) -> Result<i64> {
        threads::insert(self.connection, None, fork)?;
        let key = self.connection.last_insert_rowid();
        unfinished::remember(self.connection, origin.thread.org, fork.id, key)?;
        Ok(key)
    }

    /// Copies what comes next of these segments; gives whether that was the last of it.
    fn copy_some(&self, origin: &InThread<'_>, copy: i64, segments: &[Segment]) -> Result<bool> {
        let done = self.connection.prepare_cached(COPIED)?.query_row([copy], |row| row.get(0))?;
        let (mut copies, mut bytes, mut is_whole) = (Vec::new(), 0, true);
        let mut statement = self.connection.prepare_cached(ORIGINALS)?;
        let rest = Range::ALL.behind(done);
        'parts: for part in segments.iter().filter_map(|segment| rest.part(segment)) {
            let (first, last) = part.ends();
            let mut rows = statement.query((
                origin.thread.key,
                part.branch.get(),
                first,
                last,
                STEP + 1 - copies.len(),
            ))?;
            while let Some(row) = rows.next()? {
                if copies.len() == STEP || bytes > STEP_BYTES {
                    is_whole = false;
                    break 'parts;
                }
                let message = self.copy_message(origin, copy, row)?;
                bytes += message.bytes;
                copies.push(message);
            }
        }
        self.connection.prepare_cached(ADD)?.execute((copy, copies.len()))?;
        self.index_all(origin.thread.org, copy, copies)?;
        Ok(is_whole)
    }

    /// Copies a message with its revisions.
    fn copy_message(&self, origin: &InThread<'_>, copy: i64, row: &Row<'_>) -> Result<MessageCopy> {
        let new = &self.fork.new;
        let id =
            uuid(row, 1).map_err(|error| StoreError::corrupt_row(Entity::Message, "of unknown id", error))?;
        let original = Original { id: id.into(), key: row.get(0)?, origin };
        let opened = self.open(&original, row, 2);
        // One that cannot be opened is not in the index. It is pending, as it is elsewhere.
        let pending = opened.is_err().then_some(1);
        let (content, sealed) = if self.context.codec.is_bound() {
            let content = opened.map_err(|error| original.corrupt(error))?;
            let sealed = self.seal(&original, &content)?;
            (Some(content), Some(sealed))
        } else {
            (opened.ok(), None)
        };
        let values = (original.key, copy, new.id.as_uuid().as_bytes(), pending, &sealed);
        self.connection.prepare_cached(COPY)?.execute(values)?;
        let key = self.connection.last_insert_rowid();
        let mut bytes = row.get_ref(2)?.as_bytes().map_or(0, <[u8]>::len);
        if row.get::<_, i64>(3)? > 1 {
            bytes += self.copy_revisions(&original, key)?;
        }
        Ok(MessageCopy { key, sender: row.get(4)?, content, bytes })
    }

    /// Puts copies into the index. All of their rows are there before: an `INSERT ... SELECT` begins a savepoint, and FTS5 writes
    /// all that it has of the index at a savepoint. One after the other, the copies of a thread of 500,000 messages held others up for
    /// 340 ms, and so they do for 60 to 100.
    fn index_all(&self, org: i64, thread: i64, copies: Vec<MessageCopy>) -> Result<()> {
        let user = self.fork.new.user_id.as_str();
        for MessageCopy { key, sender, content, .. } in copies {
            let Some(content) = content else { continue };
            let owner = Owner { org, thread, user, sender: sender.as_deref() };
            let document = self.context.codec.document(&content).unwrap_or_default();
            index::insert(self.connection, key, owner, &document)?;
        }
        Ok(())
    }

    fn copy_revisions(&self, original: &Original<'_>, copy: i64) -> Result<usize> {
        let mut statement = self.connection.prepare_cached(REVISIONS)?;
        let mut rows = statement.query([original.key])?;
        let mut bytes = 0;
        while let Some(row) = rows.next()? {
            let sealed = if self.context.codec.is_bound() {
                let content = self.open(original, row, 1).map_err(|error| original.corrupt(error))?;
                Some(self.seal(original, &content)?)
            } else {
                None
            };
            let values = (original.key, row.get::<_, i64>(0)?, copy, &sealed);
            self.connection.prepare_cached(COPY_REVISION)?.execute(values)?;
            bytes += row.get_ref(1)?.as_bytes().map_or(0, <[u8]>::len);
        }
        Ok(bytes)
    }

    fn open(&self, original: &Original<'_>, row: &Row<'_>, column: usize) -> Result<Content, BoxError> {
        let sealed = row.get_ref(column)?.as_str()?;
        self.context.codec.open(sealed, &original.origin.content_key(original.id))
    }

    /// A content as the copy keeps it, where the codec takes the thread into account. Else it is copied as it is.
    fn seal(&self, original: &Original<'_>, content: &Content) -> Result<String> {
        let new = &self.fork.new;
        Ok(self.context.seal(content, &ContentKey::new(&new.org_id, new.id, original.id))?)
    }

    /// Gives this fork up where it is not whole.
    fn give_up(&self) -> Result<()> {
        let Some(org) = in_thread::find_org(self.connection, &self.fork.new.org_id)? else { return Ok(()) };
        match self.unfinished(org)? {
            Some((key, true)) => unfinished::give_up(self.connection, &self.context.backlog, key),
            _ => Ok(()),
        }
    }
}

/// A copy of a message.
struct MessageCopy {
    key: i64,
    sender: Option<String>,
    /// `None`: the codec cannot open it.
    content: Option<Content>,
    /// Of its contents.
    bytes: usize,
}

/// A message that is copied.
struct Original<'a> {
    id: MessageId,
    key: i64,
    origin: &'a InThread<'a>,
}

impl Original<'_> {
    fn corrupt(&self, error: BoxError) -> StoreError {
        StoreError::corrupt_row(Entity::Message, self.id, error)
    }
}
