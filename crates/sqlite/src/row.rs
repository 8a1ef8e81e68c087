//! Rows become records of the domain here. What cannot be decoded is named, never dropped.

use chatkeep_domain::{
    BoxError, ChatMessage, ChatThread, Codec, ContentKey, Entity, ExternalId, MessageRevision, OrgId,
    Position, StoreError, Timestamp, UserId, Version, metadata_from_json,
};
use chrono::DateTime;
use rusqlite::Row;
use uuid::Uuid;

/// Behind these, `o.org_id` where the organization is not known.
pub(crate) const THREAD_COLUMNS: &str =
    "t.id, t.user_id, t.name, t.metadata, t.head, t.created_at, t.updated_at, t.external_id, t.version";

/// The number of these columns.
pub(crate) const THREAD_WIDTH: usize = 9;

pub(crate) const MESSAGE_COLUMNS: &str = "
    m.id, m.chat_thread_id, m.position, m.sender_id, m.sender_role, m.content, m.created_at, m.updated_at,
    m.external_id, m.revision";

/// The number of these columns.
pub(crate) const MESSAGE_WIDTH: usize = 10;

/// A thread's row, with its columns in that order, of an organization that is known or behind them.
pub(crate) fn thread(row: &Row<'_>, org: Option<&OrgId>) -> Result<ChatThread, StoreError> {
    decode_thread(row, org).map_err(|error| StoreError::corrupt_row(Entity::Thread, shown(row, 0), error))
}

fn decode_thread(row: &Row<'_>, org: Option<&OrgId>) -> Result<ChatThread, BoxError> {
    let org = org.map_or_else(|| org_id(row, THREAD_WIDTH), |org| Ok(org.clone()))?;
    let user = UserId::new(text(row, 1)?)?;
    let mut thread = ChatThread::new(uuid(row, 0)?.into(), org, user, text(row, 2)?, moment(row, 5)?);
    thread.metadata = metadata_from_json(text(row, 3)?)?;
    thread.head = Position::new(row.get(4)?)?;
    thread.updated_at = moment(row, 6)?;
    thread.external_id = external_id(row, 7)?;
    thread.version = Version::new(row.get(8)?)?;
    Ok(thread)
}

pub(crate) fn org_id(row: &Row<'_>, column: usize) -> Result<OrgId, BoxError> {
    Ok(OrgId::new(text(row, column)?)?)
}

/// What opens the contents of an organization's messages.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Opener<'a> {
    pub(crate) codec: &'a dyn Codec,
    pub(crate) org: &'a OrgId,
}

impl Opener<'_> {
    /// A message's row, with its columns in that order.
    pub(crate) fn message(self, row: &Row<'_>) -> Result<ChatMessage, StoreError> {
        self.message_from(row, 0)
    }

    /// The same, from this column on.
    pub(crate) fn message_from(self, row: &Row<'_>, first: usize) -> Result<ChatMessage, StoreError> {
        self.decode(row, first)
            .map_err(|error| StoreError::corrupt_row(Entity::Message, shown(row, first), error))
    }

    fn decode(self, row: &Row<'_>, first: usize) -> Result<ChatMessage, BoxError> {
        let (id, thread) = (uuid(row, first)?.into(), uuid(row, first + 1)?.into());
        let content = self.codec.open(text(row, first + 5)?, &ContentKey::new(self.org, thread, id))?;
        let (position, role) = (Position::new(row.get(first + 2)?)?, text(row, first + 4)?.parse()?);
        let mut message = ChatMessage::new(id, thread, position, role, content, moment(row, first + 6)?);
        message.sender_id = row.get_ref(first + 3)?.as_str_or_null()?.map(UserId::new).transpose()?;
        message.updated_at = moment(row, first + 7)?;
        message.external_id = external_id(row, first + 8)?;
        message.revision = row.get(first + 9)?;
        Ok(message)
    }

    /// A revision's row: its number, its content, when that was written.
    pub(crate) fn revision(self, row: &Row<'_>, of: &ContentKey<'_>) -> Result<MessageRevision, StoreError> {
        let decode = || -> Result<MessageRevision, BoxError> {
            Ok(MessageRevision::new(row.get(0)?, self.codec.open(text(row, 1)?, of)?, moment(row, 2)?))
        };
        decode().map_err(|error| {
            let number =
                row.get::<_, i64>(0).map_or_else(|_| "unknown".to_owned(), |number| number.to_string());
            StoreError::corrupt_row(Entity::Revision, format!("at {number}"), error)
        })
    }
}

fn external_id(row: &Row<'_>, column: usize) -> Result<Option<ExternalId>, BoxError> {
    Ok(row.get_ref(column)?.as_str_or_null()?.map(ExternalId::new).transpose()?)
}

fn text<'a>(row: &'a Row<'_>, column: usize) -> Result<&'a str, BoxError> {
    Ok(row.get_ref(column)?.as_str()?)
}

pub(crate) fn uuid(row: &Row<'_>, column: usize) -> Result<Uuid, BoxError> {
    Ok(Uuid::from_slice(row.get_ref(column)?.as_blob()?)?)
}

pub(crate) fn moment(row: &Row<'_>, column: usize) -> Result<Timestamp, BoxError> {
    let micros = row.get(column)?;
    DateTime::from_timestamp_micros(micros).ok_or_else(|| "a time out of range".into())
}

/// The id of a row that cannot be decoded.
fn shown(row: &Row<'_>, id: usize) -> String {
    uuid(row, id).map_or_else(|_| "of unknown id".to_owned(), |id| id.to_string())
}
