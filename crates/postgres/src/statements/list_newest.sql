-- The newest messages of a thread between two positions. No row: also where the thread is not there, or not the user's.
-- $1 organization, $2 thread, $3 user or NULL, $4 and $5 the positions, which are not among them
SELECT m.id, m.chat_thread_id, m.position, m.sender_id, m.sender_role, m.content, m.created_at, m.updated_at
FROM chat_message m
WHERE m.org_id = $1 AND m.chat_thread_id = $2 AND m.branch = 0 AND m.position > $4 AND m.position < $5
  AND EXISTS (SELECT FROM chat_thread t
              WHERE t.org_id = $1 AND t.id = $2 AND ($3::text IS NULL OR t.user_id || '' = $3))
ORDER BY m.position DESC
LIMIT 51
