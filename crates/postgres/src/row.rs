//! Rows become domain types here. What cannot be decoded is named, never dropped.

use chatkeep_domain::{
    BoxError, BranchId, BranchPoint, ChatMessage, ChatThread, Codec, ContentKey, Entity, ExternalId,
    ForkPoint, MessageQuery, MessageRevision, OrgId, Position, Segment, StoreError, ThreadId, ThreadKey,
    ThreadPreview, ThreadQuery, Timestamp, UserId, Version, metadata_from_json,
};
use sea_orm::sqlx::postgres::{PgRow, PgTypeInfo, PgValueFormat, PgValueRef, Postgres};
use sea_orm::sqlx::{Column as _, Decode, Row as _, Type, TypeInfo as _};
use sea_orm::{DbErr, QueryResult, Value};
use uuid::Uuid;

use crate::error::DriverError;
use crate::sql::{integers, numbers};

/// The columns that [`ThreadRow`] reads.
pub(crate) const THREAD_COLUMNS: &str = "org_id, id, user_id, name, metadata, head, created_at, updated_at, \
    external_id, version, active_branch, forked_from, forked_branch, forked_through";

/// The columns that [`MessageRow`] reads, and their number.
pub(crate) const MESSAGE_COLUMNS: &str = "m.id, m.chat_thread_id, m.position, m.sender_id, m.sender_role, m.content, \
    m.created_at, m.updated_at, m.external_id, m.revision, m.branch";
pub(crate) const MESSAGE_WIDTH: usize = 11;

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
    external_id: Option<&'a str>,
    version: i64,
    active_branch: i32,
    /// The thread, the branch and the position that it was forked from.
    forked_from: (Option<Uuid>, Option<i32>, Option<i64>),
}

impl<'a> ThreadRow<'a> {
    const TYPES: [&'static str; 14] = [
        "TEXT",
        "UUID",
        "TEXT",
        "TEXT",
        "TEXT",
        "INT8",
        "TIMESTAMPTZ",
        "TIMESTAMPTZ",
        "TEXT",
        "INT8",
        "INT4",
        "UUID",
        "INT4",
        "INT8",
    ];

    fn read(row: &'a PgRow, are_typed: bool) -> Result<Self, BoxError> {
        Ok(Self {
            org_id: get(row, 0, are_typed)?,
            id: get(row, 1, are_typed)?,
            user_id: get(row, 2, are_typed)?,
            name: get(row, 3, are_typed)?,
            metadata: get(row, 4, are_typed)?,
            head: get(row, 5, are_typed)?,
            created_at: get::<Moment>(row, 6, are_typed)?.0,
            updated_at: get::<Moment>(row, 7, are_typed)?.0,
            external_id: get(row, 8, are_typed)?,
            version: get(row, 9, are_typed)?,
            active_branch: get(row, 10, are_typed)?,
            forked_from: (get(row, 11, are_typed)?, get(row, 12, are_typed)?, get(row, 13, are_typed)?),
        })
    }

    fn into_thread(self) -> Result<ChatThread, BoxError> {
        let (org, user) = (OrgId::new(self.org_id)?, UserId::new(self.user_id)?);
        let mut thread = ChatThread::new(self.id.into(), org, user, self.name, self.created_at);
        thread.metadata = metadata_from_json(self.metadata)?;
        thread.head = Position::new(self.head)?;
        thread.updated_at = self.updated_at;
        thread.external_id = self.external_id.map(ExternalId::new).transpose()?;
        thread.version = Version::new(self.version)?;
        thread.active_branch = branch_id(self.active_branch)?;
        if let (Some(origin), Some(branch), Some(through)) = self.forked_from {
            let point = BranchPoint::new(branch_id(branch)?, Position::new(through)?);
            thread.forked_from = Some(ForkPoint::new(origin.into(), point));
        }
        Ok(thread)
    }
}

/// A message's row: [`MESSAGE_COLUMNS`].
struct MessageRow<'a> {
    id: Uuid,
    chat_thread_id: Uuid,
    position: i64,
    sender_id: Option<&'a str>,
    sender_role: &'a str,
    content: &'a str,
    created_at: Timestamp,
    updated_at: Timestamp,
    external_id: Option<&'a str>,
    revision: i32,
    branch: i32,
}

impl<'a> MessageRow<'a> {
    const TYPES: [&'static str; MESSAGE_WIDTH] = [
        "UUID",
        "UUID",
        "INT8",
        "TEXT",
        "TEXT",
        "TEXT",
        "TIMESTAMPTZ",
        "TIMESTAMPTZ",
        "TEXT",
        "INT4",
        "INT4",
    ];

    /// From this column on.
    fn read(row: &'a PgRow, first: usize, are_typed: bool) -> Result<Self, BoxError> {
        Ok(Self {
            id: get(row, first, are_typed)?,
            chat_thread_id: get(row, first + 1, are_typed)?,
            position: get(row, first + 2, are_typed)?,
            sender_id: get(row, first + 3, are_typed)?,
            sender_role: get(row, first + 4, are_typed)?,
            content: get(row, first + 5, are_typed)?,
            created_at: get::<Moment>(row, first + 6, are_typed)?.0,
            updated_at: get::<Moment>(row, first + 7, are_typed)?.0,
            external_id: get(row, first + 8, are_typed)?,
            revision: get(row, first + 9, are_typed)?,
            branch: get(row, first + 10, are_typed)?,
        })
    }

    fn into_message(self, opener: Opener<'_>) -> Result<ChatMessage, BoxError> {
        let (id, thread) = (self.id.into(), self.chat_thread_id.into());
        let content = opener.codec.open(self.content, &ContentKey::new(opener.org, thread, id))?;
        let (position, role) = (Position::new(self.position)?, self.sender_role.parse()?);
        let mut message = ChatMessage::new(id, thread, position, role, content, self.created_at);
        message.sender_id = self.sender_id.map(UserId::new).transpose()?;
        message.updated_at = self.updated_at;
        message.external_id = self.external_id.map(ExternalId::new).transpose()?;
        message.revision = self.revision.try_into()?;
        message.branch = branch_id(self.branch)?;
        Ok(message)
    }
}

/// What opens the contents of an organization's messages.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Opener<'a> {
    pub(crate) codec: &'a dyn Codec,
    pub(crate) org: &'a OrgId,
    /// See [`are_typed`].
    are_typed: bool,
}

impl<'a> Opener<'a> {
    pub(crate) fn new(codec: &'a dyn Codec, org: &'a OrgId) -> Self {
        Self { codec, org, are_typed: false }
    }

    /// For the rows of one result, of which this is one.
    pub(crate) fn of_rows_like(self, row: Option<&QueryResult>) -> Self {
        Self { are_typed: row.is_some_and(|row| are_typed(row, &MessageRow::TYPES)), ..self }
    }

    pub(crate) fn message(self, row: &QueryResult) -> Result<ChatMessage, StoreError> {
        let decode = || MessageRow::read(pg(row)?, 0, self.are_typed)?.into_message(self);
        decode().map_err(|error| corrupt_message(row, error))
    }

    /// What is behind a thread's columns: the number of its messages, and the last one or NULLs.
    fn preview(self, row: &QueryResult, first: usize) -> Result<ThreadPreview, StoreError> {
        let last = first + 1;
        let corrupt_last = |error| corrupt(Entity::Message, shown_id(row, last), error);
        let count = || -> Result<u64, BoxError> { Ok(value::<i64>(row, first)?.try_into()?) };
        let count = count().map_err(|error| corrupt(Entity::Thread, shown_id(row, 1), error))?;
        let decode = || MessageRow::read(pg(row)?, last, false)?.into_message(self);
        let has_last = value::<Option<Uuid>>(row, last).map_err(corrupt_last)?.is_some();
        let message = has_last.then(|| decode().map_err(corrupt_last)).transpose()?;
        Ok(ThreadPreview::new(message, count))
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
            let number = u32::try_from(get::<i32>(row, 0, false)?)?;
            let content = self.codec.open(get(row, 1, false)?, of)?;
            Ok(MessageRevision::new(number, content, get::<Moment>(row, 2, false)?.0))
        };
        let place = || value::<i32>(row, 0).map(|number| format!("at {number}"));
        decode().map_err(|error| corrupt(Entity::Revision, place(), error))
    }
}

/// A number of a branch as the columns have it. A greater one is of no branch.
pub(crate) fn branch_number(branch: BranchId) -> i32 {
    i32::try_from(branch.get()).unwrap_or(i32::MAX)
}

/// A path as arrays of branches, of what comes behind, and of what it goes through.
pub(crate) fn path_values(segments: &[Segment]) -> [Value; 3] {
    let open = |through: Option<Position>| through.map_or(i64::MAX, i64::from);
    [
        integers(segments.iter().map(|segment| branch_number(segment.branch))),
        numbers(segments.iter().map(|segment| segment.after.get())),
        numbers(segments.iter().map(|segment| open(segment.through))),
    ]
}

pub(crate) fn branch_id(number: i32) -> Result<BranchId, BoxError> {
    Ok(BranchId::new(number.try_into()?))
}

/// Whether a row of a list says that the thread is there, and nothing else.
pub(crate) fn is_of_thread_alone(row: &QueryResult) -> bool {
    value::<Option<Uuid>>(row, 0).is_ok_and(|id| id.is_none())
}

/// The position of a message's row, where it can be decoded.
pub(crate) fn position(row: &QueryResult) -> Option<Position> {
    value(row, 2).ok().and_then(|number: i64| Position::new(number).ok())
}

pub(crate) fn thread(row: &QueryResult) -> Result<ChatThread, StoreError> {
    read_thread(row, false)
}

fn read_thread(row: &QueryResult, are_typed: bool) -> Result<ChatThread, StoreError> {
    let decode = || ThreadRow::read(pg(row)?, are_typed)?.into_thread();
    let org = || value::<&str>(row, 0).map(|org| format!("of {org}"));
    decode().map_err(|error| corrupt(Entity::Thread, shown_id(row, 1).or_else(|_| org()), error))
}

/// The rows of a list. A corrupt one says where the list goes on.
pub(crate) fn listed_threads(
    rows: &[QueryResult],
    codec: &dyn Codec,
    query: &ThreadQuery,
) -> Vec<Result<ChatThread, StoreError>> {
    let are_typed = rows.first().is_some_and(|row| are_typed(row, &ThreadRow::TYPES));
    let read = |row: &QueryResult| {
        let mut thread = read_thread(row, are_typed)?;
        if query.with_preview {
            let preview = Opener::new(codec, &thread.org_id).preview(row, ThreadRow::TYPES.len())?;
            thread.preview = Some(Box::new(preview));
        }
        Ok(thread)
    };
    let listed = |row: &QueryResult| {
        read(row).map_err(|error: StoreError| {
            let place = || -> Result<ThreadKey, BoxError> {
                let org_id = OrgId::new(value::<&str>(row, 0)?)?;
                Ok(ThreadKey::new(moment(row, 7)?, value::<Uuid>(row, 1)?.into(), org_id))
            };
            error.going_on(place().ok().map(|place| query.cursor_behind(&place)))
        })
    };
    rows.iter().map(listed).collect()
}

/// Whether a result's columns are of these types. Then no value of its rows need be checked again, which is two thirds of what
/// reading one costs: measured, 45 of 70 ns.
fn are_typed(row: &QueryResult, types: &[&str]) -> bool {
    let columns = || pg(row).map(PgRow::columns).unwrap_or_default().iter();
    columns().len() >= types.len()
        && columns().zip(types).all(|(column, name)| column.type_info().name() == *name)
}

/// A moment of a row.
pub(crate) fn moment(row: &QueryResult, column: usize) -> Result<Timestamp, BoxError> {
    Ok(value::<Moment>(row, column)?.0)
}

/// PostgreSQL sends microseconds since the year 2000, and chrono's own way to read them costs four times as much.
struct Moment(Timestamp);

const YEAR_2000: i64 = 946_684_800_000_000;

impl Type<Postgres> for Moment {
    fn type_info() -> PgTypeInfo {
        <Timestamp as Type<Postgres>>::type_info()
    }
}

impl<'a> Decode<'a, Postgres> for Moment {
    fn decode(value: PgValueRef<'a>) -> Result<Self, BoxError> {
        if value.format() == PgValueFormat::Text {
            return <Timestamp as Decode<Postgres>>::decode(value).map(Self);
        }
        let micros = <i64 as Decode<Postgres>>::decode(value)?.checked_add(YEAR_2000);
        let moment = micros.and_then(Timestamp::from_timestamp_micros);
        moment.map(Self).ok_or_else(|| "the moment is out of range".into())
    }
}

/// One value of a row, borrowed where it can be.
pub(crate) fn value<'a, T: Decode<'a, Postgres> + Type<Postgres>>(
    row: &'a QueryResult,
    column: usize,
) -> Result<T, BoxError> {
    get(pg(row)?, column, false)
}

fn get<'a, T: Decode<'a, Postgres> + Type<Postgres>>(
    row: &'a PgRow,
    column: usize,
    is_typed: bool,
) -> Result<T, BoxError> {
    let value = if is_typed { row.try_get_unchecked(column) } else { row.try_get(column) };
    value.map_err(|error| DriverError::of_row(error).into())
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
pub(crate) fn corrupt(entity: Entity, id: Result<String, BoxError>, source: BoxError) -> StoreError {
    StoreError::corrupt_row(entity, id.unwrap_or_else(|_| "of unknown id".to_owned()), source)
}
