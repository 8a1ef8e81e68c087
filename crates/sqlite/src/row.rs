//! Rows become records of the domain here. What cannot be decoded is named, never dropped.

use chatkeep_domain::{
    BoxError, Branch, BranchId, BranchPoint, ChatMessage, ChatThread, Codec, ContentKey, Entity, ExternalId,
    ForkPoint, MessageRevision, OrgId, Path, Position, StoreError, ThreadId, Timestamp, UserId, Version,
    metadata_from_json,
};
use chrono::DateTime;
use rusqlite::Row;
use rusqlite::types::ValueRef;
use uuid::Uuid;

/// Behind these, `o.org_id` where the organization is not known.
pub(crate) const THREAD_COLUMNS: &str = "
    t.id, t.user_id, t.name, t.metadata, t.head, t.created_at, t.updated_at, t.external_id, t.version,
    t.active_branch, t.forked_thread, t.forked_branch, t.forked_through";

/// The number of these columns.
pub(crate) const THREAD_WIDTH: usize = 13;

pub(crate) const BRANCH_COLUMNS: &str = "
    b.branch, b.request, b.name, b.from_branch, b.from_position, b.head, b.created_at, b.path";

pub(crate) const MESSAGE_COLUMNS: &str = "
    m.id, m.chat_thread_id, m.position, m.sender_id, m.sender_role, m.content, m.created_at, m.updated_at,
    m.external_id, m.revision, m.branch";

/// The number of these columns.
pub(crate) const MESSAGE_WIDTH: usize = 11;

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
    thread.active_branch = BranchId::new(row.get(9)?);
    thread.forked_from = fork_point(row, 10)?;
    Ok(thread)
}

fn fork_point(row: &Row<'_>, first: usize) -> Result<Option<ForkPoint>, BoxError> {
    if row.get_ref(first)? == ValueRef::Null {
        return Ok(None);
    }
    let point = point(row, first + 1)?;
    Ok(Some(ForkPoint::new(uuid(row, first)?.into(), point)))
}

fn point(row: &Row<'_>, first: usize) -> Result<BranchPoint, BoxError> {
    Ok(BranchPoint::new(BranchId::new(row.get(first)?), Position::new(row.get(first + 1)?)?))
}

/// A branch's row, with its columns in that order.
pub(crate) fn branch(row: &Row<'_>, thread: ThreadId) -> Result<Branch, StoreError> {
    let decode = || -> Result<Branch, BoxError> {
        let (id, path) = (BranchId::new(row.get(0)?), path(row, 7)?);
        let mut branch = Branch::new(id, thread, path, Position::new(row.get(5)?)?, moment(row, 6)?);
        branch.request = Some(uuid(row, 1)?.into());
        text(row, 2)?.clone_into(&mut branch.name);
        branch.from = Some(point(row, 3)?);
        Ok(branch)
    };
    decode().map_err(|error| corrupt_branch(row, error))
}

pub(crate) fn path(row: &Row<'_>, column: usize) -> Result<Path, BoxError> {
    Ok(Path::from_segments(serde_json::from_str(text(row, column)?)?)?)
}

/// The error of a row whose first column is the branch's number.
pub(crate) fn corrupt_branch(row: &Row<'_>, error: impl Into<BoxError>) -> StoreError {
    let number = row.get::<_, i64>(0).map_or_else(|_| "unknown".to_owned(), |number| number.to_string());
    StoreError::corrupt_row(Entity::Branch, number, error)
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
        message.branch = BranchId::new(row.get(first + 10)?);
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
    moment_of(row.get(column)?)
}

pub(crate) fn moment_of(micros: i64) -> Result<Timestamp, BoxError> {
    DateTime::from_timestamp_micros(micros).ok_or_else(|| "a time out of range".into())
}

/// The id of a row that cannot be decoded.
fn shown(row: &Row<'_>, id: usize) -> String {
    uuid(row, id).map_or_else(|_| "of unknown id".to_owned(), |id| id.to_string())
}
