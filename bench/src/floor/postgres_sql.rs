//! The SQL of PostgreSQL's floor: the very files that chatkeep sends where it has some.

use tokio_postgres::types::Type;

/// What chatkeep sends to append a message.
pub(crate) const APPEND: &str = include_str!("../../../crates/postgres/src/statements/append.sql");

pub(super) const APPEND_TYPES: [Type; 13] = [
    Type::TEXT,
    Type::UUID,
    Type::TEXT,
    Type::INT8,
    Type::UUID,
    Type::TEXT,
    Type::TEXT,
    Type::TEXT,
    Type::TIMESTAMPTZ,
    Type::TEXT,
    Type::INT2,
    Type::TEXT,
    Type::INT8,
];

/// The first statement of a batch; [`COPY`] is the second.
pub(super) const ALLOT: &str = "
    UPDATE chat_thread
    SET head = next_position + $1 - 1, next_position = next_position + $1, message_count = message_count + $1,
        version = version + 1, updated_at = GREATEST(updated_at, $2)
    WHERE org_id = $3 AND id = $4 AND user_id = $5 RETURNING next_position - $1";

pub(super) const COPY: &str = "
    COPY chat_message (org_id, chat_thread_id, position, id, sender_id, sender_role, content, created_at, updated_at,
                       search, search_version) FROM STDIN";

pub(super) const NEWEST: &str = include_str!("../../../crates/postgres/src/statements/list_newest.sql");

pub(super) const READ_ALL: &str = "
    SELECT id, chat_thread_id, position, sender_id, sender_role, content, created_at, updated_at, external_id, revision
    FROM chat_message WHERE org_id = $1 AND chat_thread_id = $2 AND branch = 0 ORDER BY position";

pub(super) const LIST: &str = "
    SELECT org_id, id, user_id, name, metadata, head, created_at, updated_at, external_id, version
    FROM chat_thread WHERE version >= 0 AND org_id = $1 AND user_id = $2 ORDER BY updated_at DESC, id DESC LIMIT 51";

/// What the store does once a second while it appends: new words go into the index.
pub(super) const CLEAN: &str = "SELECT chatkeep_clean_search()";

/// The hits of a word that is neither common nor rare: the one case of the statement that is measured, a walk through
/// the organization up to the last hit that is wanted.
pub(super) const HITS: &str = "
    SELECT org_id, chat_thread_id, position FROM (
        SELECT m.created_at, m.chat_thread_id, m.position, m.org_id,
               (m.search @@ (SELECT $1::text::tsquery)) IS TRUE AS is_hit
        FROM chat_message m WHERE m.status >= 0 AND m.org_id = $2
        ORDER BY m.created_at DESC, m.chat_thread_id DESC, m.position DESC LIMIT 5000) m
    WHERE is_hit ORDER BY created_at DESC, chat_thread_id DESC, position DESC LIMIT 21";

pub(super) const MESSAGES_AT: &str = include_str!("../../../crates/postgres/src/statements/messages_at.sql");
