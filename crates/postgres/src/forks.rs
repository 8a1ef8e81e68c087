//! Forks.

use chatkeep_domain::{
    ChatThread, ContentKey, Entity, Fork, ForkPoint, MessageId, Path, Position, Scope, StoreError, ThreadId,
};
use sea_orm::{ConnectionTrait, EntityTrait as _, QueryResult, Set, TransactionSession as _};
use uuid::Uuid;

use crate::connection::Connections;
use crate::entities::chat_thread;
use crate::error::Failure;
use crate::row;
use crate::sql::{Sql, numbers, texts, uuids};
use crate::statements::COPY;
use crate::store::PostgresRepository;
use crate::tags;
use crate::target::Target;
use crate::threads::new_row;
use crate::words;

/// How many messages a statement copies, and after how many bytes of contents it copies no more, as they are stored.
const STEP: i64 = 2_000;
const STEP_BYTES: i64 = 8 * 1_024 * 1_024;

/// A copy that is being made.
struct Copying<'a> {
    from: &'a Target,
    to: &'a Target,
    /// The users of the two threads.
    users: (&'a str, &'a str),
    path: Path,
    through: Position,
}

impl<C: Connections> PostgresRepository<C> {
    pub(crate) async fn try_fork(
        &self,
        scope: &Scope,
        origin: ThreadId,
        fork: &Fork,
    ) -> Result<ChatThread, Failure> {
        let to = Target::whole(fork.new.org_id.clone(), fork.new.id);
        loop {
            match self.read_thread(&to).await {
                Ok(stored) if stored.forked_from == Some(ForkPoint::new(origin, fork.from)) => {
                    return Ok(fork.new.held(stored)?);
                }
                Ok(stored) => return Err(StoreError::already_exists(Entity::Thread, stored.id).into()),
                Err(Failure::Store(error)) if error.is_not_found() => {}
                Err(failure) => return Err(failure),
            }
            let from = self.target(scope, origin).await?;
            match self.copy_thread(&from, &to, fork).await {
                // Another call was first: its thread is looked at.
                Err(failure) if failure.is_key_violation() => {}
                done => return done,
            }
        }
    }

    /// Makes the fork. All of its statements see the same state of the origin.
    async fn copy_thread(&self, from: &Target, to: &Target, fork: &Fork) -> Result<ChatThread, Failure> {
        let transaction = self.connections.begin().await?;
        Sql::new("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ").execute(&transaction).await?;
        let (origin, parent) = self.read_with_branch(&transaction, from, fork.from.branch).await?;
        let thread = fork.clone().into_thread(&origin.org_id, &parent)?;
        let row = chat_thread::ActiveModel {
            head: Set(thread.head.get()),
            next_position: Set(thread.head.get() + 1),
            forked_from: Set(Some(*origin.id.as_uuid())),
            forked_branch: Set(Some(row::branch_number(fork.from.branch))),
            forked_through: Set(Some(fork.from.through.get())),
            ..new_row(&fork.new)
        };
        chat_thread::Entity::insert(row).exec_without_returning(&transaction).await?;
        tags::insert(&transaction, &fork.new).await?;
        let users = (origin.user_id.as_str(), thread.user_id.as_str());
        let copying = Copying { from, to, users, path: parent.path, through: fork.from.through };
        let count = self.copy_messages(&transaction, &copying).await?;
        let sql = Sql::new("UPDATE chat_thread SET ").bind("message_count = ", count).text(" WHERE ");
        to.filter(sql).execute(&transaction).await?;
        transaction.commit().await?;
        Ok(thread)
    }

    async fn copy_messages(&self, on: &impl ConnectionTrait, copying: &Copying<'_>) -> Result<i64, Failure> {
        let Copying { from, to, users, path, through } = copying;
        let segments = path.up_to(*through);
        let (mut behind, mut copied) = (0, 0);
        loop {
            let mut values = from.key();
            values.extend(row::path_values(&segments));
            values.extend([behind.into(), STEP.into(), (*to.id.as_uuid()).into(), users.1.into()]);
            values.extend([
                texts(words::owner_marks(&from.org, from.id, users.0)),
                texts(words::owner_marks(&to.org, to.id, users.1)),
                STEP_BYTES.into(),
            ]);
            let row = Sql::constant(COPY, values).row(on).await?.ok_or_else(|| from.not_found())?;
            let (count, last): (i64, Option<i64>) = (row::value(&row, 0)?, row::value(&row, 1)?);
            let last = last.unwrap_or(behind);
            if self.codec.is_bound() && count > 0 {
                self.seal_again(on, copying, behind, last).await?;
            }
            copied += count;
            self.upkeep.note(usize::try_from(count).unwrap_or_default());
            // So fast that the index does not follow, and others would be held up, is too fast.
            self.upkeep.admit().await;
            if !row::value(&row, 2)? {
                return Ok(copied);
            }
            behind = last;
        }
    }

    /// Seals what was copied last, for its new place.
    async fn seal_again(
        &self,
        on: &impl ConnectionTrait,
        copying: &Copying<'_>,
        behind: i64,
        last: i64,
    ) -> Result<(), Failure> {
        let place = |sql: Sql| {
            copying
                .to
                .filter_messages(sql)
                .bind(" AND m.position > ", behind)
                .bind(" AND m.position <= ", last)
        };
        let sql = Sql::new("SELECT m.id, m.revision, m.content FROM chat_message m WHERE ");
        let messages = self.resealed(copying, &place(sql).rows(on).await?)?;
        let sql = Sql::new("UPDATE chat_message m SET content = s.content FROM unnest(")
            .bind("", uuids(messages.iter().map(|message| message.id)))
            .bind("::uuid[], ", texts(messages.iter().map(|message| message.content.as_str())))
            .text("::text[]) AS s (id, content) WHERE m.id = s.id AND ");
        place(sql).execute(on).await?;
        let sql = Sql::new("SELECT r.message_id, r.revision, r.content FROM chat_message m")
            .text(" JOIN chat_message_revision r USING (org_id, chat_thread_id)")
            .text(" WHERE r.message_id = m.id AND ");
        let revisions = self.resealed(copying, &place(sql).rows(on).await?)?;
        let sql = Sql::new("UPDATE chat_message_revision r SET content = s.content FROM unnest(")
            .bind("", uuids(revisions.iter().map(|revision| revision.id)))
            .bind("::uuid[], ", numbers(revisions.iter().map(|revision| i64::from(revision.number))))
            .bind("::bigint[], ", texts(revisions.iter().map(|revision| revision.content.as_str())))
            .text("::text[]) AS s (id, number, content) WHERE r.message_id = s.id AND r.revision = s.number")
            .bind(" AND r.org_id = ", copying.to.org.as_str())
            .bind(" AND r.chat_thread_id = ", *copying.to.id.as_uuid());
        sql.execute(on).await?;
        Ok(())
    }

    fn resealed(&self, copying: &Copying<'_>, rows: &[QueryResult]) -> Result<Vec<Resealed>, Failure> {
        let Copying { from, to, .. } = copying;
        let reseal = |row: &QueryResult| {
            let id: Uuid = row::value(row, 0)?;
            let key = |of| content_key(of, id);
            let content = row::value(row, 2).and_then(|sealed| self.codec.open(sealed, &key(from)));
            let content =
                content.map_err(|error| row::corrupt(Entity::Message, Ok(id.to_string()), error))?;
            let content = self.seal(&content, &key(to))?;
            Ok(Resealed { id, number: row::value(row, 1)?, content })
        };
        rows.iter().map(reseal).collect()
    }
}

fn content_key(of: &Target, id: Uuid) -> ContentKey<'_> {
    ContentKey::new(&of.org, of.id, MessageId::from(id))
}

/// A content of a message, sealed for its new place.
struct Resealed {
    id: Uuid,
    number: i32,
    content: String,
}
