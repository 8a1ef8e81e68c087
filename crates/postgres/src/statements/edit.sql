-- Gives a message another content, and keeps the one that it has as a revision. The thread is locked already.
-- $1 organization, $2 thread, $3 position, $4 content, $5 time, $6 vector or NULL, $7 version of the analyzer or NULL
WITH kept AS (
    INSERT INTO chat_message_revision (org_id, chat_thread_id, message_id, revision, content, written_at, edited_at)
    SELECT org_id, chat_thread_id, id, revision, content, updated_at, edited_at FROM chat_message
    WHERE org_id = $1 AND chat_thread_id = $2 AND branch = 0 AND position = $3),
touched AS (
    UPDATE chat_thread SET updated_at = GREATEST(updated_at, $5), version = version + 1
    WHERE org_id = $1 AND id = $2)
UPDATE chat_message m
SET content = $4, edited_at = $5, updated_at = GREATEST(m.updated_at, $5), revision = m.revision + 1,
    search = $6::tsvector, search_version = $7::smallint
WHERE m.org_id = $1 AND m.chat_thread_id = $2 AND m.branch = 0 AND m.position = $3
RETURNING m.id, m.chat_thread_id, m.position, m.sender_id, m.sender_role, m.content, m.created_at, m.updated_at,
       m.external_id, m.revision
