-- The branches of a thread in order, each with the head of the main one and the time of the thread's creation. No row: the
-- thread is not there, or not the user's. A row without a branch: there is the main one alone.
-- $1 organization, $2 thread, $3 user or NULL
SELECT t.head, t.created_at, b.branch, b.request, b.head, b.from_branch, b.from_position, b.created_at, b.name,
       b.path_branch, b.path_after, b.path_through
FROM chat_thread t
LEFT JOIN chat_branch b ON b.org_id = t.org_id AND b.chat_thread_id = t.id
WHERE t.org_id = $1 AND t.id = $2 AND ($3::text IS NULL OR t.user_id || '' = $3)
ORDER BY b.branch
