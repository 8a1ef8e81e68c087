DROP FUNCTION chatkeep_clean_search();
DROP TABLE chat_message_revision;
DROP TABLE chat_message;
DROP TABLE chat_thread_tag;
DROP TABLE chat_branch;
DROP TABLE chat_thread;
