-- Appends messages to a branch other than the main one. No row: the thread is not there, not the user's, or has no such branch,
-- or it is not as the append expects it. Else the position of the first message, and the thread's version.
-- $1 organization, $2 thread, $3 user or NULL, $4 branch, $5 expected head or NULL, $6 expected version or NULL, $7 latest time.
-- The messages: $8 ids, $9 senders or '', $10 roles, $11 contents, $12 times, $13 vectors or '', $14 external ids or ''.
-- $15 version of the analyzer or NULL
WITH held AS (
    -- Both rows: with the thread's alone, two appends that expect the same head could both see it.
    SELECT t.org_id, t.id FROM chat_thread t
    JOIN chat_branch b ON b.org_id = t.org_id AND b.chat_thread_id = t.id AND b.branch = $4
    WHERE t.org_id = $1 AND t.id = $2 AND ($3::text IS NULL OR t.user_id || '' = $3)
      AND ($5::bigint IS NULL OR b.head = $5) AND ($6::bigint IS NULL OR t.version = $6)
    FOR NO KEY UPDATE OF t, b),
head AS (
    UPDATE chat_thread t
    SET next_position = t.next_position + cardinality($8::uuid[]),
        message_count = t.message_count + cardinality($8::uuid[]), version = t.version + 1,
        updated_at = GREATEST(t.updated_at, $7)
    FROM held WHERE t.org_id = held.org_id AND t.id = held.id
    RETURNING t.next_position - cardinality($8::uuid[]) AS first, t.next_position - 1 AS last, t.version, t.user_id),
advanced AS (
    UPDATE chat_branch b SET head = head.last FROM head
    WHERE b.org_id = $1 AND b.chat_thread_id = $2 AND b.branch = $4),
stored AS (
    INSERT INTO chat_message (org_id, chat_thread_id, branch, position, id, sender_id, sender_role, content, created_at,
                              updated_at, external_id, search_version, search)
    SELECT $1, $2, $4, head.first + m.n - 1, m.id, NULLIF(m.sender_id, ''), m.sender_role, m.content, m.at, m.at,
           NULLIF(m.external_id, ''), $15::smallint,
           CASE WHEN m.search = '' THEN NULL
                WHEN $3 IS NULL
                THEN m.search::tsvector || array_to_tsvector(ARRAY['~' || head.user_id || '@' || $1])
                ELSE m.search::tsvector END
    FROM head CROSS JOIN unnest($8::uuid[], $9::text[], $10::text[], $11::text[], $12::timestamptz[], $13::text[],
                                $14::text[])
        WITH ORDINALITY AS m (id, sender_id, sender_role, content, at, search, external_id, n))
SELECT first, version FROM head
