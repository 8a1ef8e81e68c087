-- The first other branch that shows something of a branch's own part behind a position.
-- $1 organization, $2 thread, $3 branch, $4 position
SELECT b.branch FROM chat_branch b
CROSS JOIN LATERAL unnest(b.path_branch, b.path_through) AS s (branch, through)
WHERE b.org_id = $1 AND b.chat_thread_id = $2 AND b.branch <> $3 AND s.branch = $3 AND s.through > $4
ORDER BY b.branch LIMIT 1
