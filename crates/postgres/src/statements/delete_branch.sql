-- Deletes a branch, whose own messages are gone. The thread is locked already.
-- $1 organization, $2 thread, $3 branch, $4 time, $5 by how much the version rises
WITH gone AS (
    DELETE FROM chat_branch WHERE org_id = $1 AND chat_thread_id = $2 AND branch = $3 RETURNING from_branch)
UPDATE chat_thread t
SET updated_at = GREATEST(t.updated_at, $4), version = t.version + $5,
    active_branch = CASE WHEN t.active_branch <> $3 THEN t.active_branch
        -- Where it started, if that is still there.
        ELSE COALESCE((SELECT b.branch FROM chat_branch b
                       WHERE b.org_id = $1 AND b.chat_thread_id = $2 AND b.branch = gone.from_branch), 0) END
FROM gone WHERE t.org_id = $1 AND t.id = $2
