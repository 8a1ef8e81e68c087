-- Messages at these places, with the names of their threads. One that has no place any more, or not the words, is left out.
-- $1 organizations, $2 threads, $3 branches, $4 positions, $5 user or NULL, $6 what they are to have, or NULL
SELECT m.id, p.chat_thread_id, p.position, m.sender_id, m.sender_role, m.content, m.created_at, m.updated_at,
       m.external_id, m.revision, m.branch, p.n, t.name
FROM unnest($1::text[], $2::uuid[], $3::integer[], $4::bigint[])
    WITH ORDINALITY AS p (org_id, chat_thread_id, branch, position, n)
-- OFFSET 0: each is looked up by its whole key. Joined freely, PostgreSQL may think that a thread has one message.
CROSS JOIN LATERAL (
    SELECT * FROM chat_message
    WHERE org_id = p.org_id AND chat_thread_id = p.chat_thread_id AND branch = p.branch AND position = p.position
    OFFSET 0) m
CROSS JOIN LATERAL (
    SELECT name, user_id FROM chat_thread WHERE org_id = p.org_id AND id = p.chat_thread_id OFFSET 0) t
WHERE ($5::text IS NULL OR t.user_id || '' = $5) AND ($6::text IS NULL OR (m.search @@ (SELECT $6::tsquery)) IS TRUE)
ORDER BY p.n
