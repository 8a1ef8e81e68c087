-- Renames a branch. The thread is locked already.
-- $1 organization, $2 thread, $3 branch, $4 name, $5 time
WITH touched AS (
    UPDATE chat_thread SET version = version + 1, updated_at = GREATEST(updated_at, $5)
    WHERE org_id = $1 AND id = $2)
UPDATE chat_branch SET name = $4 WHERE org_id = $1 AND chat_thread_id = $2 AND branch = $3
