//! Rows become domain types here. What cannot be decoded is named, never dropped.

use chatkeep_domain::{
    BoxError, ChatMessage, ChatThread, Codec, ContentKey, Entity, MessageQuery, MessageRevision, OrgId,
    Position, StoreError, ThreadId, ThreadKey, ThreadQuery, Timestamp, UserId, metadata_from_json, to_micros,
};
use sea_orm::sqlx::postgres::{PgRow, Postgres};
use sea_orm::sqlx::{Decode, Row as _, Type};
use sea_orm::{DbErr, QueryResult};
use uuid::Uuid;

use crate::error::DriverError;

/// The columns that [`ThreadRow`] reads.
pub(crate) const THREAD_COLUMNS: &str = "org_id, id, user_id, name, metadata, head, created_at, updated_at";

/// A thread's row.
struct ThreadRow<'a> {
    org_id: &'a str,
    id: Uuid,
    user_id: &'a str,
    name: &'a str,
    metadata: &'a str,
    head: i64,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl<'a> ThreadRow<'a> {
    fn read(row: &'a PgRow) -> Result<Self, BoxError> {
        Ok(Self {
            org_id: get(row, 0)?,
            id: get(row, 1)?,
            user_id: get(row, 2)?,
            name: get(row, 3)?,
            metadata: get(row, 4)?,
            head: get(row, 5)?,
            created_at: get(row, 6)?,
            updated_at: get(row, 7)?,
        })
    }

    fn into_thread(self) -> Result<ChatThread, BoxError> {
        let (org, user) = (OrgId::new(self.org_id)?, UserId::new(self.user_id)?);
        let mut thread = ChatThread::new(self.id.into(), org, user, self.name, to_micros(self.created_at));
        thread.metadata = metadata_from_json(self.metadata)?;
        thread.head = Position::new(self.head)?;
        thread.updated_at = to_micros(self.updated_at);
        Ok(thread)
    }
}

/// A message's row: `m.id, m.chat_thread_id, m.position, m.sender_id, m.sender_role, m.content, m.created_at,
/// m.updated_at`.
struct MessageRow<'a> {
    id: Uuid,
    chat_thread_id: Uuid,
    position: i64,
    sender_id: Option<&'a str>,
    sender_role: &'a str,
    content: &'a str,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl<'a> MessageRow<'a> {
    fn read(row: &'a PgRow) -> Result<Self, BoxError> {
        Ok(Self {
            id: get(row, 0)?,
            chat_thread_id: get(row, 1)?,
            position: get(row, 2)?,
            sender_id: get(row, 3)?,
            sender_role: get(row, 4)?,
            content: get(row, 5)?,
            created_at: get(row, 6)?,
            updated_at: get(row, 7)?,
        })
    }

    fn into_message(self, opener: Opener<'_>) -> Result<ChatMessage, BoxError> {
        let (id, thread) = (self.id.into(), self.chat_thread_id.into());
        let content = opener.codec.open(self.content, &ContentKey::new(opener.org, thread, id))?;
        let (position, role) = (Position::new(self.position)?, self.sender_role.parse()?);
        let mut message = ChatMessage::new(id, thread, position, role, content, to_micros(self.created_at));
        message.sender_id = self.sender_id.map(UserId::new).transpose()?;
        message.updated_at = to_micros(self.updated_at);
        Ok(message)
    }
}

/// What opens the contents of an organization's messages.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Opener<'a> {
    pub(crate) codec: &'a dyn Codec,
    pub(crate) org: &'a OrgId,
}

impl Opener<'_> {
    pub(crate) fn message(self, row: &QueryResult) -> Result<ChatMessage, StoreError> {
        let decode = || MessageRow::read(pg(row)?)?.into_message(self);
        decode().map_err(|error| corrupt_message(row, error))
    }

    /// A row of a list. A corrupt one says where the list goes on.
    pub(crate) fn listed(
        self,
        row: &QueryResult,
        of: ThreadId,
        query: &MessageQuery,
    ) -> Result<ChatMessage, StoreError> {
        self.message(row)
            .map_err(|error| error.going_on(position(row).map(|position| query.cursor_behind(of, position))))
    }

    /// A revision's row: its number, its content, when that was written.
    pub(crate) fn revision(
        self,
        row: &QueryResult,
        of: &ContentKey<'_>,
    ) -> Result<MessageRevision, StoreError> {
        let decode = || -> Result<MessageRevision, BoxError> {
            let row = pg(row)?;
            let number = u32::try_from(get::<i32>(row, 0)?)?;
            Ok(MessageRevision::new(number, self.codec.open(get(row, 1)?, of)?, to_micros(get(row, 2)?)))
        };
        let place = || value::<i32>(row, 0).map(|number| format!("at {number}"));
        decode().map_err(|error| corrupt(Entity::Revision, place(), error))
    }
}

/// The position of a message's row, where it can be decoded.
pub(crate) fn position(row: &QueryResult) -> Option<Position> {
    value(row, 2).ok().and_then(|number: i64| Position::new(number).ok())
}

pub(crate) fn thread(row: &QueryResult) -> Result<ChatThread, StoreError> {
    let decode = || ThreadRow::read(pg(row)?)?.into_thread();
    let org = || value::<&str>(row, 0).map(|org| format!("of {org}"));
    decode().map_err(|error| corrupt(Entity::Thread, shown_id(row, 1).or_else(|_| org()), error))
}

/// A row of a list. A corrupt one says where the list goes on.
pub(crate) fn listed_thread(row: &QueryResult, query: &ThreadQuery) -> Result<ChatThread, StoreError> {
    thread(row).map_err(|error| {
        let place = || -> Result<ThreadKey, BoxError> {
            let org_id = OrgId::new(value::<&str>(row, 0)?)?;
            Ok(ThreadKey::new(to_micros(value(row, 7)?), value::<Uuid>(row, 1)?.into(), org_id))
        };
        error.going_on(place().ok().map(|place| query.cursor_behind(&place)))
    })
}

/// One value of a row, borrowed where it can be.
pub(crate) fn value<'a, T: Decode<'a, Postgres> + Type<Postgres>>(
    row: &'a QueryResult,
    column: usize,
) -> Result<T, BoxError> {
    get(pg(row)?, column)
}

fn get<'a, T: Decode<'a, Postgres> + Type<Postgres>>(row: &'a PgRow, column: usize) -> Result<T, BoxError> {
    row.try_get(column).map_err(|error| DriverError::of_row(error).into())
}

fn pg(row: &QueryResult) -> Result<&PgRow, BoxError> {
    let other = || DriverError::from(DbErr::Custom("the row is not one of PostgreSQL's".to_owned()));
    row.try_as_pg_row().ok_or_else(|| other().into())
}

fn shown_id(row: &QueryResult, column: usize) -> Result<String, BoxError> {
    value::<Uuid>(row, column).map(|id| id.to_string())
}

pub(crate) fn corrupt_message(row: &QueryResult, source: BoxError) -> StoreError {
    let place = || value::<i64>(row, 2).map(|position| format!("at {position}"));
    corrupt(Entity::Message, shown_id(row, 0).or_else(|_| place()), source)
}

/// Names the row by its id, and where that cannot be read by what else can.
fn corrupt(entity: Entity, id: Result<String, BoxError>, source: BoxError) -> StoreError {
    StoreError::corrupt_row(entity, id.unwrap_or_else(|_| "of unknown id".to_owned()), source)
}
