-- Copies the next messages that a path shows into another thread of the organization, onto its main branch, with what they said
-- before. Gives their number, the position of the last, and whether there may be more.
-- $1 organization, $2 thread, $3, $4 and $5 the path, $6 behind which position, $7 how many at most, $8 the other thread,
-- $9 its user, $10 marks of the index that the copies do not keep, $11 marks that they get, $12 how many bytes of contents, as
-- they are stored: the message that goes beyond is the last
WITH first AS MATERIALIZED (
    SELECT m.* FROM (
        SELECT * FROM unnest($3::integer[], $4::bigint[], $5::bigint[])
            WITH ORDINALITY AS s (branch, after, through, n)
        ORDER BY n) s
    CROSS JOIN LATERAL (
        SELECT * FROM chat_message m
        WHERE m.org_id = $1 AND m.chat_thread_id = $2 AND m.branch = s.branch
          AND m.position > s.after AND m.position <= s.through AND m.position > $6 AND s.through > $6
        ORDER BY m.position
        LIMIT $7) m
    ORDER BY s.n, m.position
    LIMIT $7),
shown AS MATERIALIZED (
    SELECT * FROM (
        SELECT *, sum(pg_column_size(content)) OVER (ORDER BY position) - pg_column_size(content) AS ahead FROM first) f
    WHERE ahead < $12),
copied AS (
    INSERT INTO chat_message (org_id, chat_thread_id, branch, position, id, external_id, sender_id, sender_role, content,
                              revision, status, created_at, updated_at, edited_at, search_version, search)
    SELECT org_id, $8, 0, position, id, external_id, sender_id, sender_role, content, revision, status, created_at,
           updated_at, edited_at, search_version,
           -- A message of the origin's user has no mark of its sender: in the thread of another user it needs one.
           ts_delete(search, $10::text[])
               || array_to_tsvector($11::text[] || ARRAY(SELECT '<' || sender_id || '@' || org_id WHERE sender_id <> $9))
    FROM shown
    RETURNING position),
revisions AS (
    INSERT INTO chat_message_revision (org_id, chat_thread_id, message_id, revision, content, written_at, edited_at)
    SELECT org_id, $8, message_id, revision, content, written_at, edited_at FROM chat_message_revision
    -- The few messages that were edited, each by the whole key.
    WHERE org_id = $1 AND chat_thread_id = $2 AND message_id = ANY (ARRAY(SELECT id FROM shown WHERE revision > 1)))
SELECT count(*), max(position), (SELECT count(*) FROM first) = $7 OR (SELECT count(*) FROM first) > count(*) FROM copied
