-- Deletes the last messages of branches' own, with what they said before. The thread is locked already. Gives their number, and
-- the branch and the position of the first of them if there may be more ahead of it.
-- $1 organization, $2 thread, $3 and $4 behind which branch and its position, $5 and $6 up to which, $7 up to which position on
-- all of them, $8 how many at most, $9 time
WITH first AS (
    SELECT branch, position FROM chat_message
    -- The ends as rows, one each, and no index for the other condition: or else PostgreSQL reads the index from its beginning.
    WHERE org_id = $1 AND chat_thread_id = $2 AND (branch, position) > ($3, $4) AND (branch, position) <= ($5, $6)
      AND position + 0 <= $7
    ORDER BY branch DESC, position DESC
    LIMIT 1 OFFSET $8 - 1),
gone AS (
    DELETE FROM chat_message
    WHERE org_id = $1 AND chat_thread_id = $2 AND (branch, position) <= ($5, $6) AND position + 0 <= $7
      -- No first one: all of them.
      AND (branch, position)
          >= (COALESCE((SELECT branch FROM first), $3), COALESCE((SELECT position FROM first), $4 + 1))
    RETURNING id, revision),
revisions AS (
    DELETE FROM chat_message_revision
    -- The few messages that were edited, each by the whole key.
    WHERE org_id = $1 AND chat_thread_id = $2 AND message_id = ANY (ARRAY(SELECT id FROM gone WHERE revision > 1))),
number AS (SELECT count(*) FROM gone),
touched AS (
    UPDATE chat_thread
    SET updated_at = GREATEST(updated_at, $9), version = version + 1, message_count = message_count - number.count
    FROM number WHERE org_id = $1 AND id = $2 AND number.count > 0)
SELECT number.count, first.branch, first.position FROM number LEFT JOIN first ON TRUE
