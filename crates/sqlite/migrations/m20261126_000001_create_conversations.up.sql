-- Organizations and threads have small numbers beside their ids: rows, indexes and the words of the search index are short.
CREATE TABLE chat_org (
    key INTEGER PRIMARY KEY,
    org_id TEXT NOT NULL UNIQUE
) STRICT;

-- The organization of threads that were deleted and whose messages are still to go.
INSERT INTO chat_org (key, org_id) VALUES (0, '');

CREATE TABLE chat_thread (
    key INTEGER PRIMARY KEY,
    -- NULL while a fork is made: nobody sees it until it is whole.
    org INTEGER REFERENCES chat_org (key),
    id BLOB NOT NULL,
    external_id TEXT,
    user_id TEXT NOT NULL,
    name TEXT NOT NULL,
    folded_name TEXT NOT NULL,
    metadata TEXT NOT NULL,
    head INTEGER NOT NULL,
    -- Of the whole thread: no position is on two branches.
    next_position INTEGER NOT NULL DEFAULT 1,
    next_branch INTEGER NOT NULL DEFAULT 1,
    active_branch INTEGER NOT NULL DEFAULT 0,
    forked_thread BLOB,
    forked_branch INTEGER,
    forked_through INTEGER,
    message_count INTEGER NOT NULL DEFAULT 0,
    version INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX chat_thread_id ON chat_thread (id, org);
-- Lists, newest update first.
CREATE INDEX chat_thread_of_user ON chat_thread (org, user_id, updated_at DESC, id DESC);
CREATE INDEX chat_thread_of_org ON chat_thread (org, updated_at DESC, id DESC);
-- The forks of a thread, in the order of lists.
CREATE INDEX chat_thread_fork ON chat_thread (forked_thread, updated_at DESC, id DESC)
    WHERE forked_thread IS NOT NULL;

-- Forks that are being made, by the id that each will have.
CREATE TABLE chat_fork (
    org INTEGER NOT NULL REFERENCES chat_org (key),
    id BLOB NOT NULL,
    thread INTEGER NOT NULL REFERENCES chat_thread (key) ON DELETE CASCADE,
    PRIMARY KEY (org, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX chat_fork_thread ON chat_fork (thread);

-- The branches of a thread beside the main one, which has no row.
CREATE TABLE chat_branch (
    thread INTEGER NOT NULL REFERENCES chat_thread (key) ON DELETE CASCADE,
    branch INTEGER NOT NULL,
    request BLOB NOT NULL,
    name TEXT NOT NULL,
    from_branch INTEGER NOT NULL,
    from_position INTEGER NOT NULL,
    head INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    -- A list of {"branch", "after", "through"}. It may be long, and so comes last.
    path TEXT NOT NULL,
    PRIMARY KEY (thread, branch),
    UNIQUE (thread, request)
) STRICT;

-- Which threads have a value in their metadata.
CREATE TABLE chat_thread_tag (
    thread INTEGER NOT NULL REFERENCES chat_thread (key) ON DELETE CASCADE,
    tag BLOB NOT NULL,
    PRIMARY KEY (thread, tag)
) STRICT, WITHOUT ROWID;

CREATE TABLE chat_message (
    key INTEGER PRIMARY KEY,
    thread INTEGER NOT NULL REFERENCES chat_thread (key),
    org INTEGER NOT NULL,
    chat_thread_id BLOB NOT NULL,
    branch INTEGER NOT NULL DEFAULT 0,
    position INTEGER NOT NULL,
    id BLOB NOT NULL,
    external_id TEXT,
    sender_id TEXT,
    sender_role TEXT NOT NULL,
    revision INTEGER NOT NULL DEFAULT 1,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    -- The `at` of the edit that wrote the content, as it was given; NULL for the content that was appended.
    edited_at INTEGER,
    -- 1 until the words are in the index, then NULL: no other value, so that a change rewrites nothing else of the row.
    pending INTEGER,
    content TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX chat_message_place ON chat_message (thread, branch, position);
-- Makes an append idempotent.
CREATE UNIQUE INDEX chat_message_id ON chat_message (thread, id);
-- What a search finds across threads, newest or oldest first.
CREATE INDEX chat_message_recent ON chat_message (org, created_at, chat_thread_id, position);
-- What a window reads of a long thread besides its end.
CREATE INDEX chat_message_instructions ON chat_message (thread, branch, position)
    WHERE sender_role IN ('system', 'developer');
CREATE INDEX chat_message_pending ON chat_message (org, thread) WHERE pending = 1;

CREATE TABLE chat_message_revision (
    message INTEGER NOT NULL REFERENCES chat_message (key) ON DELETE CASCADE,
    revision INTEGER NOT NULL,
    content TEXT NOT NULL,
    written_at INTEGER NOT NULL,
    edited_at INTEGER,
    PRIMARY KEY (message, revision)
) STRICT;

-- The words of messages, each with the organization in front. `marks` has what is looked up beside words. The tokenizer
-- leaves both as they are.
CREATE VIRTUAL TABLE chat_message_words USING fts5(
    marks, words, content = '', contentless_delete = 1, tokenize = 'ascii');
-- Merging is done a little at a time, and never all at once within an append.
INSERT INTO chat_message_words (chat_message_words, rank) VALUES ('automerge', 8);
INSERT INTO chat_message_words (chat_message_words, rank) VALUES ('crisismerge', 64);
-- A merge ends after so many pages that it wrote, and of messages that were deleted it writes none: one that is begun because of
-- them goes through all of their words at once. Their space is free again with the merges that appends make.
INSERT INTO chat_message_words (chat_message_words, rank) VALUES ('deletemerge', 0);

-- The version of the analyzer that made the words and the folded names.
CREATE TABLE chat_analyzer (version INTEGER NOT NULL) STRICT;

PRAGMA application_id = 1667787632;
