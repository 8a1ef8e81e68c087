//! A thread as calls mean it, and as they hold it.

use chatkeep_domain::{
    Branch, BranchId, OrgId, Path, Position, Scope, StoreError, ThreadId, Timestamp, UserId, Version,
};
use sea_orm::Value;

use crate::sql::Sql;

/// A thread as the scope lets it be reached: by its whole key, and only if it is this user's where there is one.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) org: OrgId,
    pub(crate) id: ThreadId,
    pub(crate) user: Option<UserId>,
}

impl Target {
    /// Everyone but the operator names the organization.
    pub(crate) fn direct(scope: &Scope, id: ThreadId) -> Option<Self> {
        Some(Self { org: scope.org_id()?.clone(), id, user: scope.user_id().cloned() })
    }

    /// A thread whoever its owner is.
    pub(crate) fn whole(org: OrgId, id: ThreadId) -> Self {
        Self { org, id, user: None }
    }

    /// The first values of the statements: the organization, the thread, the user.
    pub(crate) fn values(&self) -> Vec<Value> {
        vec![self.org.as_str().into(), (*self.id.as_uuid()).into(), self.user()]
    }

    /// The first values of the statements on a thread that is locked: the organization, the thread.
    pub(crate) fn key(&self) -> Vec<Value> {
        vec![self.org.as_str().into(), (*self.id.as_uuid()).into()]
    }

    pub(crate) fn user(&self) -> Value {
        self.user.as_ref().map(UserId::as_str).into()
    }

    /// Goes on with the condition on a thread.
    pub(crate) fn filter(&self, sql: Sql) -> Sql {
        sql.bind("org_id = ", self.org.as_str())
            .bind(" AND id = ", *self.id.as_uuid())
            .bind_some(" AND user_id || '' = ", self.user.as_ref().map(UserId::as_str))
    }

    /// The same where the thread's table is called `t`, beside others.
    pub(crate) fn filter_joined(&self, sql: Sql) -> Sql {
        sql.bind("t.org_id = ", self.org.as_str())
            .bind(" AND t.id = ", *self.id.as_uuid())
            .bind_some(" AND t.user_id || '' = ", self.user.as_ref().map(UserId::as_str))
    }

    /// Goes on with the condition on messages of the main branch, whose table is called `m`.
    pub(crate) fn filter_messages(&self, sql: Sql) -> Sql {
        self.filter_rows(sql).text(" AND m.branch = 0")
    }

    /// The same for messages of all branches, and for revisions.
    pub(crate) fn filter_rows(&self, sql: Sql) -> Sql {
        let sql =
            sql.bind("m.org_id = ", self.org.as_str()).bind(" AND m.chat_thread_id = ", *self.id.as_uuid());
        match &self.user {
            Some(_) => self.filter(sql.text(" AND EXISTS (SELECT 1 FROM chat_thread WHERE ")).text(")"),
            None => sql,
        }
    }

    /// What a statement gives, and the thread's version behind it in each row. Where it gives nothing, there is one row, of
    /// NULLs and the version; where there is no such thread, none.
    pub(crate) fn beside(&self, mut sql: Sql) -> Sql {
        let text = sql.take_text();
        let text =
            format!("SELECT found.*, t.version FROM chat_thread t LEFT JOIN ({text}) found ON TRUE WHERE ");
        self.filter_joined(sql.text(&text))
    }

    pub(crate) fn not_found(&self) -> StoreError {
        StoreError::thread_not_found(self.id)
    }
}

/// What is known of a thread that is locked. It decodes nothing else: a corrupt thread can still be cleared.
pub(crate) struct LockedThread {
    pub(crate) head: Position,
    /// Its owner, as it is stored.
    pub(crate) user: String,
    pub(crate) version: Version,
    pub(crate) message_count: i64,
    pub(crate) next_position: i64,
    pub(crate) next_branch: i32,
    pub(crate) created_at: Timestamp,
}

impl LockedThread {
    pub(crate) fn main(&self, thread: ThreadId) -> Branch {
        Branch::new(BranchId::MAIN, thread, Path::main(), self.head, self.created_at)
    }

    /// The position that was allotted last.
    pub(crate) fn allotted(&self) -> Result<Position, StoreError> {
        Ok(Position::new(self.next_position - 1)?)
    }
}
