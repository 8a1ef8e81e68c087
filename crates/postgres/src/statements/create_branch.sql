-- Makes a branch. The thread is locked already.
-- $1 organization, $2 thread, $3 branch, $4 request, $5 head and where it starts, $6 of which branch, $7 time, $8 name,
-- $9, $10 and $11 the path
WITH touched AS (
    UPDATE chat_thread SET next_branch = $3 + 1, version = version + 1, updated_at = GREATEST(updated_at, $7)
    WHERE org_id = $1 AND id = $2)
INSERT INTO chat_branch (org_id, chat_thread_id, branch, request, head, from_branch, from_position, created_at, name,
                         path_branch, path_after, path_through)
VALUES ($1, $2, $3, $4, $5, $6, $5, $7, $8, $9, $10, $11)
