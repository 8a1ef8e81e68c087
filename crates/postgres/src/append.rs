//! The append: one statement, for one append as for several that go together.
//!
//! The statement is written for the usual case and refuses everything else at once: a thread that is absent, out of
//! scope or elsewhere than the caller expects gets nothing; an id that is there already breaks the unique key, and the
//! statement with it. Only then does a transaction look what it was, for one append at a time.

mod answers;
mod batch;
mod group;
mod statements;

use std::collections::HashMap;

use chatkeep_domain::{
    Append, ChatMessage, MessageId, NewMessage, Position, Scope, StoreError, ThreadAppend, ThreadId,
};

use self::answers::{Answer, Answers};
use self::batch::{Batch, Prepared};
use self::group::Group;
use crate::PostgresRepository;
use crate::connection::Connection;
use crate::error::Failure;
use crate::row::{self, MESSAGE_COLUMNS};
use crate::search::entry::Entry;
use crate::sql::Sql;
use crate::threads::Target;

/// The ids looked up by one statement; PostgreSQL takes 65,535 values.
const IDS_PER_STATEMENT: usize = 10_000;

impl PostgresRepository {
    pub(crate) async fn append_messages(&self, scope: &Scope, thread: ThreadId, append: Append) -> Answer {
        let prepared = self.prepare(scope, thread, append).await?;
        self.append_alone(prepared).await
    }

    /// Each by itself, in as few statements as may be.
    pub(crate) async fn append_together(&self, appends: Vec<ThreadAppend>) -> Vec<Answer> {
        let mut answers = Answers::new();
        let mut waiting = Vec::new();
        for (place, ThreadAppend { scope, thread, append, .. }) in appends.into_iter().enumerate() {
            match self.prepare(&scope, thread, append).await {
                Ok(prepared) => waiting.push((place, prepared)),
                Err(error) => answers.add(place, thread, Err(error)),
            }
        }
        let (groups, alone) = group::divide(waiting);
        for group in groups {
            self.append_group(group, &mut answers).await;
        }
        self.append_each_alone(alone, &mut answers).await;
        answers.into_vec()
    }

    /// What can be done before the first statement.
    async fn prepare(&self, scope: &Scope, thread: ThreadId, append: Append) -> Result<Prepared, StoreError> {
        let contents = append.encode()?;
        let target = match Target::direct(scope, thread) {
            Some(target) => target,
            None => self.db.read(self.target(scope, thread)).await?,
        };
        let entry = |message: &NewMessage| {
            let sender = message.sender_id.as_ref();
            self.is_indexed.then(|| Entry::of(&target, &message.content, sender))
        };
        let entries = append.messages.iter().map(entry).collect();
        Ok(Prepared { target, append, contents, entries })
    }

    async fn append_alone(&self, prepared: Prepared) -> Answer {
        let batch = prepared.batch();
        let appended = self.db.write(self.try_append(&batch)).await?;
        match appended {
            Appended::At(first) => prepared.stored(first),
            Appended::Known(messages) => Ok(messages),
        }
    }

    async fn append_each_alone(&self, appends: Group, answers: &mut Answers) {
        for (place, prepared) in appends {
            let thread = prepared.target.id;
            if answers.admits(place, thread) {
                answers.add(place, thread, self.append_alone(prepared).await);
            }
        }
    }

    async fn append_group(&self, mut group: Group, answers: &mut Answers) {
        group.retain(|(place, prepared)| answers.admits(*place, prepared.target.id));
        if group.is_empty() {
            return;
        }
        let batches: Vec<_> = group.iter().map(|(_, prepared)| prepared.batch()).collect();
        match self.db.write(self.try_append_at_once(&batches)).await {
            Ok(Some(firsts)) => {
                let mut left = Vec::new();
                for ((place, prepared), first) in group.into_iter().zip(firsts) {
                    match first {
                        Some(first) => answers.add(place, prepared.target.id, prepared.stored(first)),
                        None => left.push((place, prepared)),
                    }
                }
                self.append_each_alone(left, answers).await;
            }
            Err(error @ StoreError::Unavailable { .. }) => answers.add_shared(&group, error),
            // One of them is to blame; the others are not to suffer from it.
            Ok(None) | Err(_) => self.append_each_alone(group, answers).await,
        }
    }

    async fn try_append(&self, batch: &Batch<'_>) -> Result<Appended, Failure> {
        if !batch.items.is_empty() {
            let written = self.try_append_at_once(std::slice::from_ref(batch)).await?;
            if let Some(first) = written.and_then(|firsts| firsts.into_iter().next().flatten()) {
                return Ok(Appended::At(first));
            }
        }
        self.append_looking(batch).await.map(Appended::Known)
    }

    /// The usual case. Gives the first position of each batch that was written, in order; nothing at all where one of
    /// them is in the thread already.
    async fn try_append_at_once(&self, batches: &[Batch<'_>]) -> Result<Option<Vec<Option<i64>>>, Failure> {
        let rows = self.db.rows(&append_statement(batches)).await.map_err(Failure::from);
        match rows {
            Ok(rows) => Ok(Some(batch::firsts(batches.len(), &rows)?)),
            Err(failure) if failure.is_key_violation() => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// Every other case, with the thread held: says what is wrong, or stores what is not stored yet.
    async fn append_looking(&self, batch: &Batch<'_>) -> Result<Vec<ChatMessage>, Failure> {
        let transaction = self.db.begin().await?;
        let connection = transaction.connection();
        let head = self.lock_thread(connection, batch.target).await?.head;
        let mut known = self.read_known(connection, batch).await?;
        let missing = batch.without(&known);
        let is_retry = missing.items.is_empty();
        if let Some(expected) = batch.expect_head.filter(|expected| *expected != head && !is_retry) {
            return Err(StoreError::conflict(expected, head).into());
        }
        if !is_retry {
            let rows = append_statement(std::slice::from_ref(&missing)).rows(connection).await?;
            let first = batch::firsts(1, &rows)?.into_iter().next().flatten();
            let first = first.ok_or_else(|| batch.target.not_found())?;
            let messages = missing.items.iter().map(|item| item.message.clone());
            let stored = stored(batch.target.id, messages, first)?;
            known.extend(stored.into_iter().map(|message| (message.id, message)));
        }
        transaction.commit().await?;
        Ok(batch.items.iter().filter_map(|item| known.remove(&item.message.id)).collect())
    }

    async fn read_known(
        &self,
        connection: Connection<'_>,
        batch: &Batch<'_>,
    ) -> Result<HashMap<MessageId, ChatMessage>, Failure> {
        let mut known = HashMap::new();
        for items in batch.items.chunks(IDS_PER_STATEMENT) {
            let ids = items.iter().map(|item| *item.message.id.as_uuid());
            let sql = batch
                .target
                .filter_messages(Sql::new(format!("SELECT {MESSAGE_COLUMNS} FROM chat_message WHERE ")))
                .bind_list(" AND id IN", ids);
            for row in sql.rows(connection).await? {
                let message = row::message(&row)?;
                known.insert(message.id, message);
            }
        }
        Ok(known)
    }
}

/// A statement that writes batches, and returns for each that it wrote its place and the position of its first message.
fn append_statement(batches: &[Batch<'_>]) -> Sql {
    match batches {
        [batch] => statements::append_one(batch),
        batches => statements::append_several(batches),
    }
}

enum Appended {
    /// All of it, from this position on.
    At(i64),
    /// Some of it was there before.
    Known(Vec<ChatMessage>),
}

/// The messages as they now are in the table.
fn stored(
    thread: ThreadId,
    messages: impl IntoIterator<Item = NewMessage>,
    first: i64,
) -> Result<Vec<ChatMessage>, StoreError> {
    let first = Position::new(first)?;
    let at = |(index, message): (usize, NewMessage)| Ok(message.into_message(thread, first.advance(index)?));
    messages.into_iter().enumerate().map(at).collect()
}
