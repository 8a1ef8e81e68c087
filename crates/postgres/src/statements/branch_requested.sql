-- How many branches a thread has beside the main one, and those of them that have this request or this number. The thread is
-- locked already. A row without a branch: there is none of these.
-- $1 organization, $2 thread, $3 request, $4 branch
SELECT b.branch, b.request, b.head, b.from_branch, b.from_position, b.created_at, b.name, b.path_branch, b.path_after,
       b.path_through, all_of_them.count
FROM (SELECT count(*) FROM chat_branch WHERE org_id = $1 AND chat_thread_id = $2) AS all_of_them (count)
LEFT JOIN chat_branch b ON b.org_id = $1 AND b.chat_thread_id = $2 AND (b.request = $3 OR b.branch = $4)
