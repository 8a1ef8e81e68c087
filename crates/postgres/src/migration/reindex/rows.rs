//! What a batch makes of the rows, and how it writes it.

use chatkeep_domain::search::{ANALYZER_VERSION, fold_text};
use chatkeep_domain::{BoxError, Codec, Entity, OrgId, StoreError, metadata_from_json};
use sea_orm::QueryResult;
use uuid::Uuid;

use crate::row::{self, MESSAGE_WIDTH, Opener};
use crate::sql::{Sql, integers, numbers, texts, uuids};
use crate::tags;
use crate::words::{self, Owner};

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
            let metadata = metadata_from_json(&row::value::<String>(row, 3)?)?;
            let name: String = row::value(row, 2)?;
            Ok(Self {
                org: row::value(row, 0)?,
                id: row::value(row, 1)?,
                folded_name: fold_text(&name),
                tags: tags::stored_tags(&metadata),
            })
        };
        decode().map_err(|source: BoxError| {
            let id =
                row::value::<Uuid>(row, 1).map_or_else(|_| "of unknown id".to_owned(), |id| id.to_string());
            StoreError::corrupt_row(Entity::Thread, id, source)
        })
    }
}

/// What the index keeps of a message, and where.
pub(super) struct Message {
    org: String,
    thread: Uuid,
    branch: i32,
    position: i64,
    vector: String,
}

impl Message {
    pub(super) fn read(row: &QueryResult, codec: &dyn Codec) -> Result<Self, StoreError> {
        let corrupt = |error| row::corrupt_message(row, error);
        let org =
            row::value::<&str>(row, MESSAGE_WIDTH).and_then(|org| Ok(OrgId::new(org)?)).map_err(corrupt)?;
        let user: &str = row::value(row, MESSAGE_WIDTH + 1).map_err(corrupt)?;
        let message = Opener::new(codec, &org).message(row)?;
        let owner = Owner {
            org: &org,
            thread: message.chat_thread_id,
            user: Some(user),
            sender: message.sender_id.as_ref(),
            role: message.sender_role,
        };
        let vector = words::vector(&owner, &codec.document(&message.content).unwrap_or_default());
        let (thread, position) = (*message.chat_thread_id.as_uuid(), message.position.get());
        Ok(Self {
            org: org.to_string(),
            thread,
            branch: row::branch_number(message.branch),
            position,
            vector,
        })
    }
}

/// One statement for the names, and two for the tags, however many threads there are.
pub(super) fn write_threads(threads: &[Thread]) -> Vec<Sql> {
    if threads.is_empty() {
        return Vec::new();
    }
    let orgs = || texts(threads.iter().map(|thread| thread.org.as_str()));
    let ids = || uuids(threads.iter().map(|thread| thread.id));
    let names = texts(threads.iter().map(|thread| thread.folded_name.as_str()));
    let tagged = || threads.iter().flat_map(|thread| thread.tags.iter().map(move |tag| (thread, *tag)));
    let update = Sql::new(format!("UPDATE chat_thread SET search_version = {ANALYZER_VERSION}"))
        .bind(", folded_name = b.folded_name FROM unnest(", orgs())
        .bind(", ", ids())
        .bind(", ", names)
        .text(
            ") AS b(org_id, id, folded_name) WHERE chat_thread.org_id = b.org_id AND chat_thread.id = b.id",
        );
    let delete =
        Sql::new("DELETE FROM chat_thread_tag WHERE (org_id, chat_thread_id) IN (SELECT * FROM unnest(")
            .bind("", orgs())
            .bind(", ", ids())
            .text("))");
    let insert = Sql::new("INSERT INTO chat_thread_tag (org_id, chat_thread_id, tag) SELECT * FROM unnest(")
        .bind("", texts(tagged().map(|(thread, _)| thread.org.as_str())))
        .bind(", ", uuids(tagged().map(|(thread, _)| thread.id)))
        .bind(", ", uuids(tagged().map(|(_, tag)| tag)))
        .text(")");
    vec![update, delete, insert]
}

pub(super) fn write_messages(messages: &[Message]) -> Sql {
    Sql::new(format!(
        "UPDATE chat_message m SET search_version = {ANALYZER_VERSION}, search = b.vector::tsvector"
    ))
    .bind(" FROM unnest(", texts(messages.iter().map(|message| message.org.as_str())))
    .bind(", ", uuids(messages.iter().map(|message| message.thread)))
    .bind(", ", integers(messages.iter().map(|message| message.branch)))
    .bind(", ", numbers(messages.iter().map(|message| message.position)))
    .bind(", ", texts(messages.iter().map(|message| message.vector.as_str())))
    .text(") AS b(org_id, chat_thread_id, branch, position, vector)")
    .text(" WHERE m.org_id = b.org_id AND m.chat_thread_id = b.chat_thread_id AND m.branch = b.branch")
    .text(" AND m.position = b.position")
}
