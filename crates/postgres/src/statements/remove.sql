-- Deletes the last messages of branches' own, with what they said before. The thread is locked already. Gives their number.
-- $1 organization, $2 thread, $3 and $4 the first and the last of the branches, $5 and $6 behind and up to which position,
-- $7 how many at most, $8 time
WITH first AS (
    SELECT branch, position FROM chat_message
    WHERE org_id = $1 AND chat_thread_id = $2 AND branch >= $3 AND branch <= $4 AND position > $5 AND position <= $6
    ORDER BY branch DESC, position DESC
    LIMIT 1 OFFSET $7 - 1),
gone AS (
    DELETE FROM chat_message
    WHERE org_id = $1 AND chat_thread_id = $2 AND branch >= $3 AND branch <= $4 AND position > $5 AND position <= $6
      -- No first one: all of them.
      AND (branch, position) >= (COALESCE((SELECT branch FROM first), 0), COALESCE((SELECT position FROM first), 0))
    RETURNING id),
revisions AS (
    DELETE FROM chat_message_revision r USING gone
    WHERE r.org_id = $1 AND r.chat_thread_id = $2 AND r.message_id = gone.id),
number AS (SELECT count(*) FROM gone),
touched AS (
    UPDATE chat_thread
    SET updated_at = GREATEST(updated_at, $8), version = version + 1, message_count = message_count - number.count
    FROM number WHERE org_id = $1 AND id = $2 AND number.count > 0)
SELECT count FROM number
