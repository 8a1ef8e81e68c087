-- One message. No row: the thread is not there, or not the user's. A row of NULL: the message is not there.
-- $1 organization, $2 thread, $3 user or NULL, $4 the message's id
SELECT m.id, m.chat_thread_id, m.position, m.sender_id, m.sender_role, m.content, m.created_at, m.updated_at,
       m.external_id, m.revision, m.branch
FROM chat_thread t
-- COALESCE keeps the primary key out: PostgreSQL may think that it finds a thread's only message.
LEFT JOIN chat_message m ON m.org_id = t.org_id AND m.id = $4 AND m.revision >= 0 AND COALESCE(m.chat_thread_id, $2) = $2
WHERE t.org_id = $1 AND t.id = $2 AND ($3::text IS NULL OR t.user_id || '' = $3)
