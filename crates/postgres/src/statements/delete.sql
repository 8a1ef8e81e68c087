-- Deletes a message and what it said before. No row: the thread is not there, or not the user's. Otherwise how many messages
-- were deleted, none or one, the version that the thread had, and how many revisions are left: those of an edit that this
-- statement waited for, which it does not see.
-- $1 organization, $2 thread, $3 user or NULL, $4 the message's id, $5 time, $6 expected version or NULL
WITH thread AS (
    SELECT org_id, id, version FROM chat_thread
    WHERE org_id = $1 AND id = $2 AND ($3::text IS NULL OR user_id || '' = $3)
    FOR NO KEY UPDATE),
gone AS (
    DELETE FROM chat_message m USING thread t
    WHERE m.org_id = t.org_id AND m.id = $4 AND m.revision >= 0 AND COALESCE(m.chat_thread_id, $2) = $2
      AND ($6::bigint IS NULL OR t.version = $6)
    RETURNING m.id, m.revision),
revisions AS (
    DELETE FROM chat_message_revision r USING gone
    WHERE r.org_id = $1 AND r.chat_thread_id = $2 AND r.message_id = gone.id
    RETURNING 1),
touched AS (
    UPDATE chat_thread t
    SET updated_at = GREATEST(t.updated_at, $5), version = t.version + 1, message_count = t.message_count - 1
    FROM gone WHERE t.org_id = $1 AND t.id = $2)
SELECT (SELECT count(*) FROM gone), version,
       COALESCE((SELECT revision - 1 FROM gone), 0) - (SELECT count(*) FROM revisions)
FROM thread
