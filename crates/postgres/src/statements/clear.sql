-- Deletes all messages of a thread. The thread is locked already. Gives their number.
-- $1 organization, $2 thread, $3 time
WITH gone AS (
    DELETE FROM chat_message WHERE org_id = $1 AND chat_thread_id = $2 RETURNING 1),
revisions AS (
    DELETE FROM chat_message_revision WHERE org_id = $1 AND chat_thread_id = $2),
touched AS (
    UPDATE chat_thread
    SET updated_at = GREATEST(updated_at, $3), version = version + 1, message_count = 0
    WHERE org_id = $1 AND id = $2 AND EXISTS (SELECT FROM gone))
SELECT count(*) FROM gone
