//! Rows become domain types here. What cannot be decoded is named, never dropped.

use std::fmt::Display;

use chatkeep_domain::{
    BoxError, ChatMessage, ChatThread, Content, Cursor, Entity, MessageRevision, Order, OrgId, Position,
    StoreError, ThreadId, ThreadKey, Timestamp, UserId, metadata_from_json,
};
use chrono::DateTime;
use sea_orm::{DbErr, QueryResult, TryGetable};
use uuid::Uuid;

use crate::dialect::Dialect;
use crate::error::DriverError;
use crate::packed::{Column, Packed};

pub(crate) const THREAD_COLUMNS: &str =
    "org_id, id, user_id, name, metadata, next_position, created_at, updated_at";

pub(crate) const MESSAGE_COLUMNS: &str =
    "id, chat_thread_id, position, sender_id, sender_role, content, created_at, updated_at";

/// What a list of one thread's messages has to read of each.
pub(crate) const PACKED_MESSAGE: [Column; 7] = [
    Column::Id("id"),
    Column::Number("position"),
    Column::Text("sender_id"),
    Column::Text("sender_role"),
    Column::Text("content"),
    Column::Number("created_at"),
    Column::Number("updated_at"),
];

pub(crate) const PACKED_THREAD: [Column; 8] = [
    Column::Text("org_id"),
    Column::Id("id"),
    Column::Text("user_id"),
    Column::Text("name"),
    Column::Text("metadata"),
    Column::Number("next_position"),
    Column::Number("created_at"),
    Column::Number("updated_at"),
];

pub(crate) const REVISION_COLUMNS: &str = "revision, content, written_at";

pub(crate) fn thread(dialect: Dialect, row: &QueryResult) -> Result<ChatThread, StoreError> {
    decode_thread(dialect, row).map_err(corrupt(Entity::Thread, row, 1, 0))
}

pub(crate) fn message(dialect: Dialect, row: &QueryResult) -> Result<ChatMessage, StoreError> {
    #[cfg(feature = "postgres")]
    if let Some(message) = row.try_as_pg_row().and_then(postgres_message) {
        return Ok(message);
    }
    decode_message(dialect, row).map_err(corrupt(Entity::Message, row, 0, 2))
}

pub(crate) fn revision(dialect: Dialect, row: &QueryResult) -> Result<MessageRevision, StoreError> {
    decode_revision(dialect, row).map_err(corrupt(Entity::Revision, row, 0, 0))
}

fn decode_thread(dialect: Dialect, row: &QueryResult) -> Result<ChatThread, BoxError> {
    let metadata: String = get(row, 4)?;
    Ok(ChatThread {
        org_id: OrgId::new(get::<String>(row, 0)?)?,
        id: get::<Uuid>(row, 1)?.into(),
        user_id: UserId::new(get::<String>(row, 2)?)?,
        name: get(row, 3)?,
        metadata: metadata_from_json(&metadata)?,
        head: Position::new(get::<i64>(row, 5)?.saturating_sub(1))?,
        created_at: dialect.read_timestamp(row, 6).map_err(DriverError::from)?,
        updated_at: dialect.read_timestamp(row, 7).map_err(DriverError::from)?,
    })
}

fn decode_message(dialect: Dialect, row: &QueryResult) -> Result<ChatMessage, BoxError> {
    Ok(ChatMessage {
        id: get::<Uuid>(row, 0)?.into(),
        chat_thread_id: get::<Uuid>(row, 1)?.into(),
        position: Position::new(get(row, 2)?)?,
        sender_id: get::<Option<String>>(row, 3)?.map(UserId::new).transpose()?,
        sender_role: get::<String>(row, 4)?.parse()?,
        content: Content::from_json(&get::<String>(row, 5)?)?,
        created_at: dialect.read_timestamp(row, 6).map_err(DriverError::from)?,
        updated_at: dialect.read_timestamp(row, 7).map_err(DriverError::from)?,
    })
}

/// The same below SeaORM, which would copy each text before it is read. `None` where something is not as it should be,
/// which [`decode_message`] names.
#[cfg(feature = "postgres")]
fn postgres_message(row: &sea_orm::sqlx::postgres::PgRow) -> Option<ChatMessage> {
    use chatkeep_domain::to_micros;
    use sea_orm::sqlx::Row as _;

    Some(ChatMessage {
        id: row.try_get::<Uuid, _>(0).ok()?.into(),
        chat_thread_id: row.try_get::<Uuid, _>(1).ok()?.into(),
        position: Position::new(row.try_get(2).ok()?).ok()?,
        sender_id: row.try_get::<Option<&str>, _>(3).ok()?.map(UserId::new).transpose().ok()?,
        sender_role: row.try_get::<&str, _>(4).ok()?.parse().ok()?,
        content: Content::from_json(row.try_get(5).ok()?).ok()?,
        created_at: to_micros(row.try_get(6).ok()?),
        updated_at: to_micros(row.try_get(7).ok()?),
    })
}

fn decode_revision(dialect: Dialect, row: &QueryResult) -> Result<MessageRevision, BoxError> {
    Ok(MessageRevision {
        revision: u32::try_from(get::<i64>(row, 0)?)?,
        content: Content::from_json(&get::<String>(row, 1)?)?,
        written_at: dialect.read_timestamp(row, 2).map_err(DriverError::from)?,
    })
}

pub(crate) fn get<T: TryGetable>(row: &QueryResult, column: usize) -> Result<T, BoxError> {
    row.try_get_by_index(column).map_err(|error: DbErr| DriverError::from(error).into())
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
        StoreError::CorruptRow { entity, id, behind: None, source }
    }
}

/// A row of a list of threads. A corrupt one says where the list goes on.
pub(crate) fn listed_thread(dialect: Dialect, row: &QueryResult) -> Result<ChatThread, StoreError> {
    thread(dialect, row).map_err(|error| {
        let place = || -> Result<ThreadKey, BoxError> {
            Ok(ThreadKey {
                updated_at: dialect.read_timestamp(row, 7).map_err(DriverError::from)?,
                id: get::<Uuid>(row, 1)?.into(),
                org_id: OrgId::new(get::<String>(row, 0)?)?,
            })
        };
        error.going_on(place().ok().map(|place| Cursor::after_thread_key(&place)))
    })
}

/// A row of a list of messages. A corrupt one says where the list goes on.
pub(crate) fn listed_message(
    dialect: Dialect,
    row: &QueryResult,
    of: ThreadId,
    order: Order,
) -> Result<ChatMessage, StoreError> {
    message(dialect, row).map_err(|error| {
        error.going_on(position(row).map(|position| Cursor::after_message(of, order, position)))
    })
}

/// The position of a message's row, where it can be decoded.
pub(crate) fn position(row: &QueryResult) -> Option<Position> {
    get::<i64>(row, 2).ok().and_then(|number| Position::new(number).ok())
}

/// `None` where not every row is as it should be.
pub(crate) fn packed_messages(page: &[u8], of: ThreadId, order: Order) -> Option<Vec<ChatMessage>> {
    let messages = Packed::rows(page, |row| {
        Some(ChatMessage {
            id: row.id()?.into(),
            chat_thread_id: of,
            position: Position::new(row.number()?).ok()?,
            sender_id: row.optional_text()?.map(UserId::new).transpose().ok()?,
            sender_role: row.text()?.parse().ok()?,
            content: Content::from_json(row.text()?).ok()?,
            created_at: packed_timestamp(row)?,
            updated_at: packed_timestamp(row)?,
        })
    })?;
    let is_sorted = messages.is_sorted_by(|one, next| match order {
        Order::OldestFirst => one.position < next.position,
        Order::NewestFirst => one.position > next.position,
    });
    is_sorted.then_some(messages)
}

/// `None` where not every row is as it should be.
pub(crate) fn packed_threads(page: &[u8]) -> Option<Vec<ChatThread>> {
    let threads = Packed::rows(page, |row| {
        Some(ChatThread {
            org_id: OrgId::new(row.text()?).ok()?,
            id: row.id()?.into(),
            user_id: UserId::new(row.text()?).ok()?,
            name: row.text()?.to_owned(),
            metadata: metadata_from_json(row.text()?).ok()?,
            head: Position::new(row.number()?.saturating_sub(1)).ok()?,
            created_at: packed_timestamp(row)?,
            updated_at: packed_timestamp(row)?,
        })
    })?;
    let key = |thread: &ChatThread| (thread.updated_at, thread.id);
    threads.is_sorted_by(|one, next| key(one) >= key(next)).then_some(threads)
}

fn packed_timestamp(row: &mut Packed<'_>) -> Option<Timestamp> {
    DateTime::from_timestamp_micros(row.number()?)
}
