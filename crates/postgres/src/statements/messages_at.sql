-- Messages at these places, with the names of their threads. One that has no place any more, or not the words, is left out.
-- $1 organizations, $2 threads, $3 positions, $4 user or NULL, $5 what they are to have, or NULL
SELECT m.id, m.chat_thread_id, m.position, m.sender_id, m.sender_role, m.content, m.created_at, m.updated_at,
       p.n, t.name
FROM unnest($1::text[], $2::uuid[], $3::bigint[]) WITH ORDINALITY AS p (org_id, chat_thread_id, position, n)
JOIN chat_message m ON m.org_id = p.org_id AND m.chat_thread_id = p.chat_thread_id AND m.branch = 0
                   AND m.position = p.position
JOIN chat_thread t ON t.org_id = p.org_id AND t.id = p.chat_thread_id
WHERE ($4::text IS NULL OR t.user_id || '' = $4) AND ($5::text IS NULL OR (m.search @@ $5::tsquery) IS TRUE)
ORDER BY p.n
