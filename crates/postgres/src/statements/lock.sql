-- Locks a thread against other writers, as every write of several statements begins: so no two of them can deadlock.
-- $1 organization, $2 thread, $3 user or NULL
SELECT head, user_id, version, message_count, next_position, next_branch, created_at FROM chat_thread
WHERE org_id = $1 AND id = $2 AND ($3::text IS NULL OR user_id || '' = $3)
FOR NO KEY UPDATE
