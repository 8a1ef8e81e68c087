//! The SQL of PostgreSQL's floor.

use tokio_postgres::types::Type;

/// What chatkeep sends to append a message to a thread of the scope's user. Loading fails when it is something else.
pub(crate) const APPEND: &str = "
    WITH head AS (
        UPDATE chat_thread SET next_position = next_position + $1, updated_at = GREATEST(updated_at, $2)
        WHERE org_id = $3 AND id = $4 AND user_id || '' = $5
        RETURNING org_id, id, user_id, next_position - $6 AS allotted),
    stored AS (
        INSERT INTO chat_message (org_id, chat_thread_id, position, id, sender_id, sender_role, content, created_at,
                                  updated_at, search, search_version)
        SELECT h.org_id, h.id, h.allotted, $7, $8, $9, $10, $11, $12, $13::tsvector, 1
        FROM head AS h)
    SELECT 0::bigint, allotted FROM head";

pub(super) const APPEND_TYPES: [Type; 13] = [
    Type::INT8,
    Type::TIMESTAMPTZ,
    Type::TEXT,
    Type::UUID,
    Type::TEXT,
    Type::INT8,
    Type::UUID,
    Type::TEXT,
    Type::TEXT,
    Type::TEXT,
    Type::TIMESTAMPTZ,
    Type::TIMESTAMPTZ,
    Type::TEXT,
];

/// The first statement of a batch; [`COPY`] is the second.
pub(super) const ALLOT: &str = "
    UPDATE chat_thread SET next_position = next_position + $1, updated_at = GREATEST(updated_at, $2)
    WHERE org_id = $3 AND id = $4 AND user_id = $5 RETURNING next_position - $1";

pub(super) const COPY: &str = "
    COPY chat_message (org_id, chat_thread_id, position, id, sender_id, sender_role, content, created_at, updated_at,
                       search, search_version) FROM STDIN";

pub(super) const NEWEST: &str = "
    SELECT id, chat_thread_id, position, sender_id, sender_role, content, created_at, updated_at
    FROM chat_message WHERE org_id = $1 AND chat_thread_id = $2 ORDER BY position DESC LIMIT $3";

pub(super) const READ_ALL: &str = "
    SELECT id, chat_thread_id, position, sender_id, sender_role, content, created_at, updated_at
    FROM chat_message WHERE org_id = $1 AND chat_thread_id = $2 ORDER BY position";

pub(super) const LIST: &str = "
    SELECT org_id, id, user_id, name, metadata, next_position, created_at, updated_at
    FROM chat_thread WHERE org_id = $1 AND user_id = $2 ORDER BY updated_at DESC, id DESC LIMIT $3";

/// The condition on `$4` has it planned with its values, as ours is.
pub(super) const SEARCH: &str = "
    SELECT m.id, m.chat_thread_id, m.position, m.sender_id, m.sender_role, m.content, m.created_at, m.updated_at,
           m.org_id, t.name
    FROM (SELECT * FROM chat_message m
          WHERE m.search @@ CAST($1::text AS tsquery) AND m.org_id = $2
            AND ($4::bool OR (SELECT COUNT(*) FROM chat_message) + (SELECT COUNT(*) FROM generate_series(1, 1000000)) < 0)
          ORDER BY m.created_at DESC, m.chat_thread_id DESC, m.position DESC LIMIT $3) m
    JOIN chat_thread t ON t.org_id = m.org_id AND t.id = m.chat_thread_id WHERE t.user_id = $5
    ORDER BY m.created_at DESC, m.chat_thread_id DESC, m.position DESC";
