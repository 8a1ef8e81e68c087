-- Gives a message another content, and keeps the one that it has as a revision. The thread is locked already.
-- $1 organization, $2 thread, $3 branch, $4 position, $5 content, $6 time, $7 vector or NULL, $8 version of the analyzer or NULL
WITH kept AS (
    INSERT INTO chat_message_revision (org_id, chat_thread_id, message_id, revision, content, written_at, edited_at)
    SELECT org_id, chat_thread_id, id, revision, content, updated_at, edited_at FROM chat_message
    WHERE org_id = $1 AND chat_thread_id = $2 AND branch = $3 AND position = $4),
touched AS (
    UPDATE chat_thread SET updated_at = GREATEST(updated_at, $6), version = version + 1
    WHERE org_id = $1 AND id = $2)
UPDATE chat_message m
SET content = $5, edited_at = $6, updated_at = GREATEST(m.updated_at, $6), revision = m.revision + 1,
    search = $7::tsvector, search_version = $8::smallint
WHERE m.org_id = $1 AND m.chat_thread_id = $2 AND m.branch = $3 AND m.position = $4
RETURNING m.id, m.chat_thread_id, m.position, m.sender_id, m.sender_role, m.content, m.created_at, m.updated_at,
       m.external_id, m.revision, m.branch
