//! Messages, except the append.

use async_trait::async_trait;
use chatkeep_domain::{
    Append, Appended, ChatMessage, ContentKey, Expected, MessageEdit, MessageId, MessageQuery,
    MessageRepository, MessageRevision, MessageStream, Page, Removal, Scope, StoreError, ThreadAppend,
    ThreadId, Version,
};
use sea_orm::{ConnectionTrait, QueryResult, TransactionSession as _};
use uuid::Uuid;

use crate::connection::Connections;
use crate::error::Failure;
use crate::removals::What;
use crate::row;
use crate::sql::Sql;
use crate::statements::{DELETE, DELETE_REVISIONS, EDIT, EDITED, FIND};
use crate::store::PostgresRepository;
use crate::target::Target;
use crate::words::{self, Owner, analyzer_version};

impl<C: Connections> PostgresRepository<C> {
    pub(crate) async fn read_message(
        &self,
        on: &impl ConnectionTrait,
        target: &Target,
        id: MessageId,
    ) -> Result<ChatMessage, Failure> {
        let mut values = target.values();
        values.push((*id.as_uuid()).into());
        let row = Sql::constant(FIND, values).row(on).await?.ok_or_else(|| target.not_found())?;
        match row::value::<Option<Uuid>>(&row, 0) {
            Ok(None) => Err(StoreError::message_not_found(id).into()),
            _ => Ok(self.opener(target).message(&row)?),
        }
    }

    /// Fails where there is no such message. It decodes nothing: a corrupt message is there.
    async fn require_message(&self, target: &Target, id: MessageId) -> Result<(), Failure> {
        let mut values = target.values();
        values.push((*id.as_uuid()).into());
        let row =
            Sql::constant(FIND, values).row(&self.connections).await?.ok_or_else(|| target.not_found())?;
        if row::is_of_thread_alone(&row) { Err(StoreError::message_not_found(id).into()) } else { Ok(()) }
    }

    async fn try_edit(
        &self,
        scope: &Scope,
        thread: ThreadId,
        id: MessageId,
        edit: &MessageEdit,
    ) -> Result<ChatMessage, Failure> {
        let target = self.target(scope, thread).await?;
        let transaction = self.connections.begin().await?;
        let locked = self.lock_thread(&transaction, &target).await?;
        let stored = self.read_message(&transaction, &target, id).await?;
        if stored.content.is_identical(&edit.content)
            || self.was_made(&transaction, &target, id, edit).await?
        {
            return Ok(stored);
        }
        edit.check_expected(stored.revision, locked.version)?;
        let content = self.seal(&edit.content, &ContentKey::new(&target.org, thread, id))?;
        let vector = self.is_indexed.then(|| {
            let (sender, role) = (stored.sender_id.as_ref(), stored.sender_role);
            let owner = Owner { org: &target.org, thread, user: Some(&locked.user), sender, role };
            words::vector(&owner, &self.codec.document(&edit.content).unwrap_or_default())
        });
        let mut values = target.key();
        values.extend([
            row::branch_number(stored.branch).into(),
            stored.position.get().into(),
            content.into(),
            edit.at.into(),
            vector.into(),
            self.is_indexed.then(analyzer_version).into(),
        ]);
        let row = Sql::constant(EDIT, values).row(&transaction).await?;
        let row = row.ok_or_else(|| StoreError::message_not_found(id))?;
        let edited = self.opener(&target).message(&row)?;
        transaction.commit().await?;
        self.upkeep.note(1);
        Ok(edited)
    }

    /// Whether an edit was written before: then its content is among the earlier ones.
    async fn was_made(
        &self,
        on: &impl ConnectionTrait,
        target: &Target,
        id: MessageId,
        edit: &MessageEdit,
    ) -> Result<bool, Failure> {
        let mut values = target.key();
        values.extend([(*id.as_uuid()).into(), edit.at.into()]);
        let key = ContentKey::new(&target.org, target.id, id);
        let says_the_same = |row: &QueryResult| {
            let content = row::value(row, 0).and_then(|sealed| self.codec.open(sealed, &key));
            content.is_ok_and(|content| content.is_identical(&edit.content))
        };
        Ok(Sql::constant(EDITED, values).rows(on).await?.iter().any(says_the_same))
    }

    async fn try_delete_message(
        &self,
        scope: &Scope,
        thread: ThreadId,
        id: MessageId,
        removal: Removal,
    ) -> Result<(), Failure> {
        let target = self.target(scope, thread).await?;
        let mut values = target.values();
        let expected = removal.expect_version;
        values.extend([(*id.as_uuid()).into(), removal.at.into(), expected.map(i64::from).into()]);
        let row = Sql::constant(DELETE, values).row(&self.connections).await?;
        let row = row.ok_or_else(|| target.not_found())?;
        if row::value::<i64>(&row, 0)? > 0 {
            if row::value::<i64>(&row, 2)? > 0 {
                let mut values = target.key();
                values.push((*id.as_uuid()).into());
                Sql::constant(DELETE_REVISIONS, values).execute(&self.connections).await?;
            }
            return Ok(());
        }
        let version = Version::new(row::value(&row, 1)?).map_err(StoreError::from)?;
        if expected.is_some_and(|expected| expected != version) {
            // A message that is not there is not found, whatever is expected.
            self.require_message(&target, id).await?;
            StoreError::unless_expected(Expected::Version, expected, version)?;
        }
        Err(StoreError::message_not_found(id).into())
    }

    async fn try_list_revisions(
        &self,
        scope: &Scope,
        thread: ThreadId,
        id: MessageId,
    ) -> Result<Vec<MessageRevision>, Failure> {
        let target = self.target(scope, thread).await?;
        let sql = Sql::new("SELECT revision, content, written_at FROM chat_message_revision m WHERE ");
        let sql = target.filter_rows(sql).bind(" AND m.message_id = ", *id.as_uuid());
        let rows = sql.text(" ORDER BY m.revision").rows(&self.connections).await?;
        if rows.is_empty() {
            self.read_message(&self.connections, &target, id).await?;
        }
        let key = ContentKey::new(&target.org, thread, id);
        let opener = self.opener(&target);
        Ok(rows.iter().map(|row| opener.revision(row, &key)).collect::<Result<_, _>>()?)
    }
}

#[async_trait]
impl<C: Connections> MessageRepository for PostgresRepository<C> {
    async fn append(&self, scope: &Scope, thread: ThreadId, append: Append) -> Result<Appended, StoreError> {
        self.append_messages(scope, thread, append).await
    }

    async fn append_each(&self, appends: Vec<ThreadAppend>) -> Vec<Result<Appended, StoreError>> {
        self.append_together(appends).await
    }

    async fn get_message(
        &self,
        scope: &Scope,
        thread: ThreadId,
        id: MessageId,
    ) -> Result<ChatMessage, StoreError> {
        let read = async {
            let target = self.target(scope, thread).await?;
            self.read_message(&self.connections, &target, id).await
        };
        self.reads(read).await
    }

    async fn list_messages(
        &self,
        scope: &Scope,
        thread: ThreadId,
        query: &MessageQuery,
    ) -> Result<Page<ChatMessage>, StoreError> {
        let page = self.reads(self.try_list(scope, thread, query, None)).await?;
        Ok(page.unwrap_or_else(Page::empty))
    }

    async fn list_messages_unless(
        &self,
        scope: &Scope,
        thread: ThreadId,
        query: &MessageQuery,
        version: Version,
    ) -> Result<Option<Page<ChatMessage>>, StoreError> {
        self.reads(self.try_list(scope, thread, query, Some(version))).await
    }

    fn stream_messages<'a>(
        &'a self,
        scope: &'a Scope,
        thread: ThreadId,
        query: MessageQuery,
    ) -> MessageStream<'a> {
        self.streamed(scope, thread, query)
    }

    async fn edit_message(
        &self,
        scope: &Scope,
        thread: ThreadId,
        id: MessageId,
        edit: MessageEdit,
    ) -> Result<ChatMessage, StoreError> {
        edit.validate()?;
        self.writes(self.try_edit(scope, thread, id, &edit)).await
    }

    async fn list_revisions(
        &self,
        scope: &Scope,
        thread: ThreadId,
        id: MessageId,
    ) -> Result<Vec<MessageRevision>, StoreError> {
        self.reads(self.try_list_revisions(scope, thread, id)).await
    }

    async fn delete_message(
        &self,
        scope: &Scope,
        thread: ThreadId,
        id: MessageId,
        removal: Removal,
    ) -> Result<(), StoreError> {
        removal.validate()?;
        self.writes(self.try_delete_message(scope, thread, id, removal)).await
    }

    async fn clear_messages(
        &self,
        scope: &Scope,
        thread: ThreadId,
        removal: Removal,
    ) -> Result<u64, StoreError> {
        removal.validate()?;
        self.remove(scope, thread, What::Messages, removal).await
    }
}
