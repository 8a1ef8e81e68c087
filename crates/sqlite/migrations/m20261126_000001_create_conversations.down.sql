DROP TABLE chat_analyzer;
DROP TABLE chat_message_words;
DROP TABLE chat_message_revision;
DROP TABLE chat_message;
DROP TABLE chat_thread_tag;
DROP TABLE chat_thread;
DROP TABLE chat_org;
PRAGMA application_id = 0;
