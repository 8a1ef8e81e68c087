-- Appends messages to threads. A row for each thread that got its messages: its number, the position of the first, and the
-- thread's version behind the last.
-- The threads: $1 organizations, $2 ids, $3 users or '', $4 expected heads or -1, $5 numbers of messages, $6 latest times.
-- $16 numbers of appends, $17 expected versions or -1.
-- The messages: $7 number of the thread, from 1 on, $8 place among the thread's, from 0 on, $9 ids, $10 senders or '',
-- $11 roles, $12 contents, $13 times, $14 vectors or '', $18 external ids or ''. $15 version of the analyzer or NULL
WITH wanted AS (
    SELECT * FROM unnest($1::text[], $2::uuid[], $3::text[], $4::bigint[], $5::bigint[], $6::timestamptz[],
                         $16::bigint[], $17::bigint[])
        WITH ORDINALITY AS w (org_id, id, user_id, expected, count, at, appends, expected_version, n)),
-- In the order of their keys, so that no two of these statements wait for each other.
held AS (
    SELECT w.n FROM wanted w JOIN chat_thread t ON t.org_id = w.org_id AND t.id = w.id
    WHERE (w.user_id = '' OR t.user_id || '' = w.user_id) AND (w.expected = -1 OR t.head = w.expected)
      AND (w.expected_version = -1 OR t.version = w.expected_version)
    ORDER BY t.org_id, t.id FOR NO KEY UPDATE OF t),
head AS (
    UPDATE chat_thread t
    SET head = t.next_position + w.count - 1, next_position = t.next_position + w.count,
        message_count = t.message_count + w.count, version = t.version + w.appends,
        updated_at = GREATEST(t.updated_at, w.at)
    FROM held JOIN wanted w USING (n)
    WHERE t.org_id = w.org_id AND t.id = w.id
    RETURNING w.n, t.org_id, t.id, t.user_id, w.user_id = '' AS is_unnamed, t.next_position - w.count AS first,
              t.version),
stored AS (
    INSERT INTO chat_message (org_id, chat_thread_id, position, id, sender_id, sender_role, content, created_at,
                              updated_at, external_id, search_version, search)
    SELECT h.org_id, h.id, h.first + m.place, m.id, NULLIF(m.sender_id, ''), m.sender_role, m.content, m.at, m.at,
           NULLIF(m.external_id, ''), $15::smallint,
           CASE WHEN m.search = '' THEN NULL
                WHEN h.is_unnamed
                THEN m.search::tsvector || array_to_tsvector(ARRAY['~' || h.user_id || '@' || h.org_id])
                ELSE m.search::tsvector END
    FROM head h JOIN unnest($7::bigint[], $8::bigint[], $9::uuid[], $10::text[], $11::text[], $12::text[],
                            $13::timestamptz[], $14::text[], $18::text[])
        AS m (n, place, id, sender_id, sender_role, content, at, search, external_id) ON m.n = h.n)
SELECT n, first, version FROM head
