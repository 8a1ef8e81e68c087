-- What the edits of this moment wrote that was edited again since.
-- $1 organization, $2 thread, $3 message, $4 time
SELECT content FROM chat_message_revision
WHERE org_id = $1 AND chat_thread_id = $2 AND message_id = $3 AND edited_at = $4
