-- A branch, and the thread's version. No row: the thread is not there, or not the user's. A row of NULLs before the version:
-- there is no such branch.
-- $1 organization, $2 thread, $3 user or NULL, $4 branch
SELECT b.branch, b.request, b.head, b.from_branch, b.from_position, b.created_at, b.name, b.path_branch, b.path_after,
       b.path_through, t.version
FROM chat_thread t
LEFT JOIN chat_branch b ON b.org_id = t.org_id AND b.chat_thread_id = t.id AND b.branch = $4
WHERE t.org_id = $1 AND t.id = $2 AND ($3::text IS NULL OR t.user_id || '' = $3)
