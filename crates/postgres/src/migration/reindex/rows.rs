//! What a batch makes of the rows, and how it writes it.

use chatkeep_domain::search::{ANALYZER_VERSION, fold_text};
use chatkeep_domain::{BoxError, Entity, OrgId, StoreError, metadata_from_json};
use sea_orm::sea_query::ArrayType;
use sea_orm::{QueryResult, Value};
use uuid::Uuid;

use crate::row;
use crate::search::entry::Entry;
use crate::search::tsvector;
use crate::sql::Sql;
use crate::tags;
use crate::threads::Target;

/// What filters look up of a thread.
pub(super) struct Thread {
    org: String,
    id: Uuid,
    folded_name: String,
    tags: Vec<Uuid>,
}

impl Thread {
    pub(super) fn read(row: &QueryResult) -> Result<Self, StoreError> {
        let decode = || {
            let metadata = metadata_from_json(&row::get::<String>(row, 3)?)?;
            let name: String = row::get(row, 2)?;
            Ok(Self {
                org: row::get(row, 0)?,
                id: row::get(row, 1)?,
                folded_name: fold_text(&name),
                tags: tags::stored_tags(&metadata),
            })
        };
        decode().map_err(|source: BoxError| {
            let id =
                row::get::<Uuid>(row, 1).map_or_else(|_| "of unknown id".to_owned(), |id| id.to_string());
            StoreError::corrupt_row(Entity::Thread, id, source)
        })
    }
}

/// What the index keeps of a message, and where.
pub(super) struct Message {
    org: OrgId,
    thread: Uuid,
    position: i64,
    user: String,
    entry: Entry,
}

impl Message {
    pub(super) fn read(row: &QueryResult) -> Result<Self, StoreError> {
        let message = row::message(row)?;
        let org = row::get(row, 8).and_then(|org: String| Ok(OrgId::new(org)?));
        let org: OrgId = row::decoded(row, org)?;
        let target = Target::whole(org.clone(), message.chat_thread_id);
        Ok(Self {
            thread: *message.chat_thread_id.as_uuid(),
            position: message.position.get(),
            user: row::decoded(row, row::get(row, 9))?,
            entry: Entry::of(&target, &message.content, message.sender_id.as_ref()),
            org,
        })
    }
}

fn array(kind: ArrayType, values: impl Iterator<Item = Value>) -> Value {
    Value::Array(kind, Some(Box::new(values.collect())))
}

/// One statement for the names, and two for the tags, however many threads there are.
pub(super) fn write_threads(threads: &[Thread]) -> Vec<Sql> {
    if threads.is_empty() {
        return Vec::new();
    }
    let orgs = || array(ArrayType::String, threads.iter().map(|thread| thread.org.as_str().into()));
    let ids = || array(ArrayType::Uuid, threads.iter().map(|thread| thread.id.into()));
    let names = threads.iter().map(|thread| thread.folded_name.as_str().into());
    let tagged = || threads.iter().flat_map(|thread| thread.tags.iter().map(move |tag| (thread, *tag)));
    let update = Sql::new(format!("UPDATE chat_thread SET search_version = {ANALYZER_VERSION}"))
        .bind(", folded_name = b.folded_name FROM unnest(", orgs())
        .bind(", ", ids())
        .bind(", ", array(ArrayType::String, names))
        .text(
            ") AS b(org_id, id, folded_name) WHERE chat_thread.org_id = b.org_id AND chat_thread.id = b.id",
        );
    let delete =
        Sql::new("DELETE FROM chat_thread_tag WHERE (org_id, chat_thread_id) IN (SELECT * FROM unnest(")
            .bind("", orgs())
            .bind(", ", ids())
            .text("))");
    let of_tags = array(ArrayType::String, tagged().map(|(thread, _)| thread.org.as_str().into()));
    let insert = Sql::new("INSERT INTO chat_thread_tag (org_id, chat_thread_id, tag) SELECT * FROM unnest(")
        .bind("", of_tags)
        .bind(", ", array(ArrayType::Uuid, tagged().map(|(thread, _)| thread.id.into())))
        .bind(", ", array(ArrayType::Uuid, tagged().map(|(_, tag)| tag.into())))
        .text(")");
    vec![update, delete, insert]
}

pub(super) fn write_messages(messages: &[Message]) -> Sql {
    let column = |kind, value: fn(&Message) -> Value| array(kind, messages.iter().map(value));
    let owner = |message: &Message| tsvector::owner(&message.org, &message.user).into();
    Sql::new(format!("UPDATE chat_message SET search_version = {ANALYZER_VERSION}"))
        .text(", search = b.words::tsvector || array_to_tsvector(ARRAY[b.owner])")
        .bind(" FROM unnest(", column(ArrayType::String, |message| message.org.as_str().into()))
        .bind(", ", column(ArrayType::Uuid, |message| message.thread.into()))
        .bind(", ", column(ArrayType::BigInt, |message| message.position.into()))
        .bind(", ", column(ArrayType::String, owner))
        .bind(", ", column(ArrayType::String, |message| message.entry.words.as_str().into()))
        .text(") AS b(org_id, chat_thread_id, position, owner, words)")
        .text(" WHERE chat_message.org_id = b.org_id")
        .text(" AND chat_message.chat_thread_id = b.chat_thread_id")
        .text(" AND chat_message.position = b.position")
}
