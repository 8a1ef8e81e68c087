-- Appends one message. No row: the thread is not there, not the user's, or not as the append expects it.
-- $1 organization, $2 thread, $3 user or NULL, $4 expected head or NULL, $5 the message's id, $6 sender or NULL,
-- $7 role, $8 content, $9 time, $10 vector or NULL, $11 version of the analyzer or NULL, $12 external id or NULL,
-- $13 expected version or NULL
WITH head AS (
    UPDATE chat_thread
    SET head = next_position, next_position = next_position + 1, message_count = message_count + 1,
        version = version + 1, updated_at = GREATEST(updated_at, $9)
    WHERE org_id = $1 AND id = $2
      -- No index is to serve this: before a table is analyzed, the threads of a user seem as few as one.
      AND ($3::text IS NULL OR user_id || '' = $3)
      AND ($4::bigint IS NULL OR head = $4)
      AND ($13::bigint IS NULL OR version = $13)
    RETURNING head, version, user_id),
stored AS (
    INSERT INTO chat_message (org_id, chat_thread_id, position, id, sender_id, sender_role, content, created_at,
                              updated_at, external_id, search_version, search)
    SELECT $1, $2, head, $5, $6, $7, $8, $9, $9, $12, $11::smallint,
           CASE WHEN $3 IS NULL THEN $10::tsvector || array_to_tsvector(ARRAY['~' || user_id || '@' || $1])
                ELSE $10::tsvector END
    FROM head)
SELECT head, version FROM head
