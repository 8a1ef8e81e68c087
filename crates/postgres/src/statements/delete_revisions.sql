-- Deletes what a message said that is gone, unless one of its id is there again.
-- $1 organization, $2 thread, $3 message
DELETE FROM chat_message_revision
WHERE org_id = $1 AND chat_thread_id = $2 AND message_id = $3
  AND NOT EXISTS (
      SELECT FROM chat_message m
      WHERE m.org_id = $1 AND m.id = $3 AND m.revision >= 0 AND COALESCE(m.chat_thread_id, $2) = $2)
