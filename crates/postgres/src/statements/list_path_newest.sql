-- The newest messages that a branch shows between two positions, each with the thread's version and the branch. No row: the thread
-- is not there, or not the user's. No branch: there is no such branch. A row of NULLs before the version: there is no such
-- message, or the version is the one that is known.
-- $1 organization, $2 thread, $3 user or NULL, $4 and $5 the positions, which are not among them, $6 the known version or NULL,
-- $7 the branch
SELECT m.id, m.chat_thread_id, m.position, m.sender_id, m.sender_role, m.content, m.created_at, m.updated_at,
       m.external_id, m.revision, m.branch, t.version, b.branch
FROM chat_thread t
LEFT JOIN chat_branch b ON b.org_id = t.org_id AND b.chat_thread_id = t.id AND b.branch = $7
LEFT JOIN LATERAL (
    SELECT m.* FROM (
        SELECT * FROM unnest(b.path_branch, b.path_after, b.path_through)
            WITH ORDINALITY AS s (branch, after, through, n)
        ORDER BY n DESC) s
    CROSS JOIN LATERAL (
        SELECT * FROM chat_message m
        WHERE m.org_id = $1 AND m.chat_thread_id = $2 AND m.branch = s.branch
          AND m.position > s.after AND m.position <= s.through AND m.position > $4 AND m.position < $5
          AND s.through > $4 AND s.after < $5
        ORDER BY m.position DESC
        LIMIT 51) m
    WHERE t.version IS DISTINCT FROM $6::bigint
    -- Segment after segment, in order already: the sort takes no more of them than fill the page.
    ORDER BY s.n DESC, m.position DESC
    LIMIT 51) m ON TRUE
WHERE t.org_id = $1 AND t.id = $2 AND ($3::text IS NULL OR t.user_id || '' = $3)
