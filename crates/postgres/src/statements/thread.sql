-- One thread.
-- $1 organization, $2 thread, $3 user or NULL
SELECT org_id, id, user_id, name, metadata, head, created_at, updated_at, external_id, version,
       active_branch, forked_from, forked_branch, forked_through
FROM chat_thread
WHERE org_id = $1 AND id = $2 AND ($3::text IS NULL OR user_id || '' = $3)
