-- The oldest messages of a thread between two positions, each with the thread's version. No row: the thread is not there, or
-- not the user's. A row of NULLs before the version: there is no such message, or the version is the one that is known.
-- $1 organization, $2 thread, $3 user or NULL, $4 and $5 the positions, which are not among them, $6 the known version or NULL
SELECT m.id, m.chat_thread_id, m.position, m.sender_id, m.sender_role, m.content, m.created_at, m.updated_at,
       m.external_id, m.revision, m.branch, t.version
FROM chat_thread t
LEFT JOIN LATERAL (
    SELECT * FROM chat_message m
    WHERE m.org_id = $1 AND m.chat_thread_id = $2 AND m.branch = 0 AND m.position > $4 AND m.position < $5
      AND t.version IS DISTINCT FROM $6::bigint
    ORDER BY m.position
    LIMIT 51) m ON TRUE
WHERE t.org_id = $1 AND t.id = $2 AND ($3::text IS NULL OR t.user_id || '' = $3)
