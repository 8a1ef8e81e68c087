-- Those of these messages that are in the thread. The thread is locked already.
-- $1 organization, $2 thread, $3 ids
SELECT m.id, m.chat_thread_id, m.position, m.sender_id, m.sender_role, m.content, m.created_at, m.updated_at,
       m.external_id, m.revision, m.branch
FROM chat_message m
WHERE m.org_id = $1 AND m.id = ANY ($3::uuid[]) AND m.revision >= 0 AND COALESCE(m.chat_thread_id, $2) = $2
