//! Rows become domain types here. What cannot be decoded is named, never dropped.

use std::fmt::Display;

use chatkeep_domain::{
    BoxError, ChatMessage, ChatThread, Content, Entity, MessageQuery, MessageRevision, OrgId, Position,
    StoreError, ThreadId, ThreadKey, ThreadQuery, Timestamp, UserId, metadata_from_json, to_micros,
};
use sea_orm::sqlx::Row as _;
use sea_orm::sqlx::postgres::PgRow;
use sea_orm::{DbErr, QueryResult, TryGetable};
use uuid::Uuid;

use crate::error::DriverError;

pub(crate) const THREAD_COLUMNS: &str =
    "org_id, id, user_id, name, metadata, next_position, created_at, updated_at";

pub(crate) const MESSAGE_COLUMNS: &str =
    "id, chat_thread_id, position, sender_id, sender_role, content, created_at, updated_at";

pub(crate) const REVISION_COLUMNS: &str = "revision, content, written_at";

pub(crate) fn thread(row: &QueryResult) -> Result<ChatThread, StoreError> {
    decode_thread(row).map_err(corrupt(Entity::Thread, row, 1, 0))
}

pub(crate) fn message(row: &QueryResult) -> Result<ChatMessage, StoreError> {
    if let Some(message) = row.try_as_pg_row().and_then(read_message) {
        return Ok(message);
    }
    decode_message(row).map_err(corrupt(Entity::Message, row, 0, 2))
}

pub(crate) fn revision(row: &QueryResult) -> Result<MessageRevision, StoreError> {
    decode_revision(row).map_err(corrupt(Entity::Revision, row, 0, 0))
}

fn decode_thread(row: &QueryResult) -> Result<ChatThread, BoxError> {
    let metadata: String = get(row, 4)?;
    let (org, user) = (OrgId::new(get::<String>(row, 0)?)?, UserId::new(get::<String>(row, 2)?)?);
    let created_at = timestamp(row, 6)?;
    let mut thread =
        ChatThread::new(get::<Uuid>(row, 1)?.into(), org, user, get::<String>(row, 3)?, created_at);
    thread.metadata = metadata_from_json(&metadata)?;
    thread.head = Position::new(get::<i64>(row, 5)?.saturating_sub(1))?;
    thread.updated_at = timestamp(row, 7)?;
    Ok(thread)
}

fn decode_message(row: &QueryResult) -> Result<ChatMessage, BoxError> {
    let mut message = ChatMessage::new(
        get::<Uuid>(row, 0)?.into(),
        get::<Uuid>(row, 1)?.into(),
        Position::new(get(row, 2)?)?,
        get::<String>(row, 4)?.parse()?,
        Content::from_json(&get::<String>(row, 5)?)?,
        timestamp(row, 6)?,
    );
    message.sender_id = get::<Option<String>>(row, 3)?.map(UserId::new).transpose()?;
    message.updated_at = timestamp(row, 7)?;
    Ok(message)
}

/// The same below SeaORM, which would copy each text before it is read. `None` where something is not as it should be,
/// which [`decode_message`] names.
fn read_message(row: &PgRow) -> Option<ChatMessage> {
    let mut message = ChatMessage::new(
        row.try_get::<Uuid, _>(0).ok()?.into(),
        row.try_get::<Uuid, _>(1).ok()?.into(),
        Position::new(row.try_get(2).ok()?).ok()?,
        row.try_get::<&str, _>(4).ok()?.parse().ok()?,
        Content::from_json(row.try_get(5).ok()?).ok()?,
        to_micros(row.try_get(6).ok()?),
    );
    message.sender_id = row.try_get::<Option<&str>, _>(3).ok()?.map(UserId::new).transpose().ok()?;
    message.updated_at = to_micros(row.try_get(7).ok()?);
    Some(message)
}

fn decode_revision(row: &QueryResult) -> Result<MessageRevision, BoxError> {
    let number = u32::try_from(get::<i64>(row, 0)?)?;
    let content = Content::from_json(&get::<String>(row, 1)?)?;
    let written_at = timestamp(row, 2)?;
    Ok(MessageRevision::new(number, content, written_at))
}

pub(crate) fn get<T: TryGetable>(row: &QueryResult, column: usize) -> Result<T, BoxError> {
    row.try_get_by_index(column).map_err(|error: DbErr| DriverError::from(error).into())
}

/// A moment, to the microsecond.
pub(crate) fn timestamp(row: &QueryResult, column: usize) -> Result<Timestamp, BoxError> {
    get(row, column).map(to_micros)
}

/// A further value of a message's row.
pub(crate) fn decoded<T>(row: &QueryResult, value: Result<T, BoxError>) -> Result<T, StoreError> {
    value.map_err(corrupt(Entity::Message, row, 0, 2))
}

/// Names the row by its id, and where that cannot be read by what else can.
fn corrupt(
    entity: Entity,
    row: &QueryResult,
    id: usize,
    place: usize,
) -> impl FnOnce(BoxError) -> StoreError {
    fn shown<T: TryGetable + Display>(row: &QueryResult, column: usize) -> Option<String> {
        row.try_get_by_index::<T>(column).ok().map(|value| value.to_string())
    }
    move |source| {
        let id = shown::<Uuid>(row, id)
            .or_else(|| shown::<i64>(row, place).map(|place| format!("at {place}")))
            .or_else(|| shown::<String>(row, place).map(|place| format!("of {place}")))
            .unwrap_or_else(|| "of unknown id".to_owned());
        StoreError::corrupt_row(entity, id, source)
    }
}

/// A row of a list of threads. A corrupt one says where the list goes on.
pub(crate) fn listed_thread(row: &QueryResult, query: &ThreadQuery) -> Result<ChatThread, StoreError> {
    thread(row).map_err(|error| {
        let place = || -> Result<ThreadKey, BoxError> {
            let updated_at = timestamp(row, 7)?;
            let org_id = OrgId::new(get::<String>(row, 0)?)?;
            Ok(ThreadKey::new(updated_at, get::<Uuid>(row, 1)?.into(), org_id))
        };
        error.going_on(place().ok().map(|place| query.cursor_behind(&place)))
    })
}

/// A row of a list of messages. A corrupt one says where the list goes on.
pub(crate) fn listed_message(
    row: &QueryResult,
    of: ThreadId,
    query: &MessageQuery,
) -> Result<ChatMessage, StoreError> {
    message(row)
        .map_err(|error| error.going_on(position(row).map(|position| query.cursor_behind(of, position))))
}

/// The position of a message's row, where it can be decoded.
pub(crate) fn position(row: &QueryResult) -> Option<Position> {
    get::<i64>(row, 2).ok().and_then(|number| Position::new(number).ok())
}
