//! The append: one statement, for one append as for several that go together.
//!
//! The statement is written for the usual case and refuses everything else at once: a thread that is absent, out of
//! scope or elsewhere than the caller expects gets nothing; an id that is there already breaks the unique key, and the
//! statement with it. Only then does a transaction look what it was, for one append at a time.

mod answers;
mod batch;
mod group;

use std::collections::HashMap;

use chatkeep_domain::{
    Append, Appended, BoxError, ChatMessage, MessageId, Path, Scope, StoreError, ThreadAppend, ThreadId,
};
use sea_orm::{ConnectionTrait, QueryResult, TransactionSession as _};

use self::answers::{Answer, Answers};
use self::batch::{Batch, Written};
use self::group::Group;
use crate::connection::Connections;
use crate::error::Failure;
use crate::row;
use crate::sql::{Sql, uuids};
use crate::statements::FIND_SEVERAL;
use crate::store::PostgresRepository;
use crate::target::Target;

impl<C: Connections> PostgresRepository<C> {
    pub(crate) async fn append_messages(&self, scope: &Scope, thread: ThreadId, append: Append) -> Answer {
        let size = append.validate()?;
        self.upkeep.admit().await;
        let target = match Target::direct(scope, thread) {
            Some(target) => target,
            None => self.writes(self.target(scope, thread)).await?,
        };
        self.append_alone(Batch { target, append, size }).await
    }

    /// Each by itself, in as few statements as may be.
    pub(crate) async fn append_together(&self, appends: Vec<ThreadAppend>) -> Vec<Answer> {
        self.upkeep.admit().await;
        let mut answers = Answers::new();
        let mut waiting = Vec::new();
        for (place, ThreadAppend { scope, thread, append, .. }) in appends.into_iter().enumerate() {
            let found = match append.validate() {
                Ok(size) => self.writes(self.target(&scope, thread)).await.map(|target| (target, size)),
                Err(error) => Err(error),
            };
            match found {
                Ok((target, size)) => waiting.push((place, Batch { target, append, size })),
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

    async fn append_alone(&self, batch: Batch) -> Answer {
        self.writes(async {
            if !batch.append.messages.is_empty()
                && let Some([Some(written)]) = self.try_append(&self.connections, &[&batch]).await?.as_deref()
            {
                return Ok(batch.stored(*written)?);
            }
            self.append_looking(&batch).await
        })
        .await
    }

    async fn append_each_alone(&self, appends: Group, answers: &mut Answers) {
        for (place, batch) in appends {
            let thread = batch.target.id;
            if answers.admits(place, thread) {
                answers.add(place, thread, self.append_alone(batch).await);
            }
        }
    }

    async fn append_group(&self, mut group: Group, answers: &mut Answers) {
        group.retain(|(place, batch)| answers.admits(*place, batch.target.id));
        if group.is_empty() {
            return;
        }
        let batches: Vec<_> = group.iter().map(|(_, batch)| batch).collect();
        match self.writes(self.try_append(&self.connections, &batches)).await {
            Ok(Some(written)) => {
                let mut left = Vec::new();
                for ((place, batch), written) in group.into_iter().zip(written) {
                    match written {
                        Some(written) => answers.add(place, batch.target.id, batch.stored(written)),
                        None => left.push((place, batch)),
                    }
                }
                self.append_each_alone(left, answers).await;
            }
            Err(error @ StoreError::Unavailable { .. }) => answers.add_shared(&group, error),
            // One of them is to blame; the others are not to suffer from it.
            Ok(None) | Err(_) => self.append_each_alone(group, answers).await,
        }
    }

    /// The usual case. Gives where each batch was written, in order; nothing at all where a message is in its thread already.
    async fn try_append(
        &self,
        on: &impl ConnectionTrait,
        batches: &[&Batch],
    ) -> Result<Option<Vec<Option<Written>>>, Failure> {
        let written = self.write(on, batches).await;
        match written {
            Ok(written) => {
                self.upkeep.note(batches.iter().map(|batch| batch.append.messages.len()).sum());
                Ok(Some(written))
            }
            Err(failure) if failure.is_key_violation() => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// Every other case, with the thread locked: says what is wrong, or stores what is not stored yet.
    async fn append_looking(&self, batch: &Batch) -> Result<Appended, Failure> {
        let transaction = self.connections.begin().await?;
        let locked = self.lock_thread(&transaction, &batch.target).await?;
        let branch = self.read_branch(&transaction, &batch.target, &locked, batch.append.branch).await?;
        let mut known = self.read_known(&transaction, batch, &branch.path).await?;
        let missing = batch.without(&known);
        let mut appended = Appended::new(Vec::new(), branch.head, locked.version);
        if missing.append.messages.is_empty() {
            // An append that comes again finds its messages whatever the thread is like by now.
            transaction.commit().await?;
        } else {
            batch.append.check_expected(branch.head, locked.version)?;
            let written = self.write(&transaction, &[&missing]).await?.into_iter().next().flatten();
            appended = missing.stored(written.ok_or_else(|| batch.target.not_found())?)?;
            transaction.commit().await?;
            self.upkeep.note(appended.messages.len());
            known.extend(appended.messages.drain(..).map(|message| (message.id, message)));
        }
        let messages = batch.append.messages.iter().filter_map(|message| known.remove(&message.id));
        appended.messages = messages.collect();
        Ok(appended)
    }

    /// Those of the messages that the thread holds. Fails where they are not the append's, or not shown by its branch.
    async fn read_known(
        &self,
        on: &impl ConnectionTrait,
        batch: &Batch,
        path: &Path,
    ) -> Result<HashMap<MessageId, ChatMessage>, Failure> {
        let ids = uuids(batch.append.messages.iter().map(|message| *message.id.as_uuid()));
        let mut values = batch.target.key();
        values.push(ids);
        let opener = self.opener(&batch.target);
        let mut known = HashMap::new();
        for row in &Sql::constant(FIND_SEVERAL, values).rows(on).await? {
            let message = opener.message(row)?;
            known.insert(message.id, message);
        }
        for new in &batch.append.messages {
            known.get(&new.id).map_or(Ok(()), |held| batch.append.check_held(new, held, path))?;
        }
        Ok(known)
    }

    /// Runs the statement. Gives where it wrote each batch.
    async fn write(
        &self,
        on: &impl ConnectionTrait,
        batches: &[&Batch],
    ) -> Result<Vec<Option<Written>>, Failure> {
        let alone = match batches {
            [batch] if !batch.append.branch.is_main() => Some(self.append_to_branch(batch)?),
            [batch] => match batch.append.messages.as_slice() {
                [message] => Some(self.append_one(batch, message)?),
                _ => None,
            },
            _ => None,
        };
        if let Some(sql) = alone {
            let row = sql.row(on).await?;
            return Ok(vec![row.map(|row| written(&row, 0)).transpose()?]);
        }
        let threads = batch::threads(batches);
        let rows = self.append_several(batches, &threads)?.rows(on).await?;
        let mut of_threads = vec![None; threads.wanted.len()];
        for row in &rows {
            let number: i64 = row::value(row, 0)?;
            if let Some(place) =
                usize::try_from(number - 1).ok().and_then(|number| of_threads.get_mut(number))
            {
                *place = Some(written(row, 1)?);
            }
        }
        Ok(threads.written(&of_threads))
    }
}

/// The columns are the first position and the version.
fn written(row: &QueryResult, column: usize) -> Result<Written, BoxError> {
    Ok(Written { first: row::value(row, column)?, version: row::value(row, column + 1)? })
}
