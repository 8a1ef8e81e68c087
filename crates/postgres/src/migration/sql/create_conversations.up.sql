-- Every key starts with the organization: a tenant needs no join, and the tables can be partitioned or distributed by it.
-- Identifiers are compared byte by byte, whatever the database's locale is.
CREATE TABLE chat_thread (
    org_id text COLLATE "C" NOT NULL,
    id uuid NOT NULL,
    external_id text COLLATE "C",
    user_id text COLLATE "C" NOT NULL,
    name text NOT NULL,
    folded_name text,
    metadata text NOT NULL,
    head bigint NOT NULL DEFAULT 0,
    next_position bigint NOT NULL DEFAULT 1,
    message_count bigint NOT NULL DEFAULT 0,
    version bigint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    -- The version of the analyzer that made the folded name.
    search_version smallint,
    next_branch integer NOT NULL DEFAULT 1,
    active_branch integer NOT NULL DEFAULT 0,
    -- Where a fork comes from. No foreign key: a fork outlives its origin.
    forked_from uuid,
    forked_branch integer,
    forked_through bigint,
    PRIMARY KEY (org_id, id)
);
-- Lists, newest update first. The condition is true of every thread, and only lists have it: otherwise PostgreSQL, where most
-- organizations have few threads, would look for one thread here, among all of its organization, instead of by its key.
CREATE INDEX chat_thread_recent ON chat_thread (org_id, user_id, updated_at DESC, id DESC) WHERE version >= 0;
CREATE INDEX chat_thread_of_org ON chat_thread (org_id, updated_at DESC, id DESC) WHERE version >= 0;
CREATE INDEX chat_thread_forks ON chat_thread (org_id, forked_from, updated_at DESC, id DESC)
    WHERE forked_from IS NOT NULL;

-- The branches of a thread beside the main one, which has no row. A path is in three arrays: its segments are the messages of
-- a branch's own behind `path_after` up to `path_through`, which is the greatest number in the last one. It never changes, and
-- so an append, which writes the head, leaves a long one where it is.
CREATE TABLE chat_branch (
    org_id text COLLATE "C" NOT NULL,
    chat_thread_id uuid NOT NULL,
    branch integer NOT NULL,
    request uuid NOT NULL,
    head bigint NOT NULL,
    from_branch integer NOT NULL,
    from_position bigint NOT NULL,
    created_at timestamptz NOT NULL,
    name text NOT NULL,
    path_branch integer[] NOT NULL,
    path_after bigint[] NOT NULL,
    path_through bigint[] NOT NULL,
    PRIMARY KEY (org_id, chat_thread_id, branch),
    -- The thread comes last, so that the primary key alone serves to find a branch.
    UNIQUE (org_id, request, chat_thread_id),
    FOREIGN KEY (org_id, chat_thread_id) REFERENCES chat_thread (org_id, id) ON DELETE CASCADE
);

-- Which threads have a value in their metadata. A table of its own, because every append makes a new version of the
-- thread's row, and an index of the row's own would grow with each.
CREATE TABLE chat_thread_tag (
    org_id text COLLATE "C" NOT NULL,
    chat_thread_id uuid NOT NULL,
    tag uuid NOT NULL,
    PRIMARY KEY (org_id, chat_thread_id, tag),
    FOREIGN KEY (org_id, chat_thread_id) REFERENCES chat_thread (org_id, id) ON DELETE CASCADE
);
CREATE INDEX chat_thread_tag_threads ON chat_thread_tag (org_id, tag, chat_thread_id);

-- Columns of one width come first: so rows have no gaps.
CREATE TABLE chat_message (
    chat_thread_id uuid NOT NULL,
    id uuid NOT NULL,
    position bigint NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    -- The `at` of the edit that wrote the content, as it was given; NULL for the content that was appended.
    edited_at timestamptz,
    branch integer NOT NULL DEFAULT 0,
    revision integer NOT NULL DEFAULT 1,
    status smallint NOT NULL DEFAULT 0,
    -- The version of the analyzer that made the vector.
    search_version smallint,
    org_id text COLLATE "C" NOT NULL,
    external_id text COLLATE "C",
    sender_id text COLLATE "C",
    sender_role text NOT NULL,
    content text NOT NULL,
    -- The words of the message, and marks of what is looked up beside words.
    search tsvector,
    PRIMARY KEY (org_id, chat_thread_id, branch, position),
    FOREIGN KEY (org_id, chat_thread_id) REFERENCES chat_thread (org_id, id) ON DELETE CASCADE
) WITH (toast_tuple_target = 4080);
-- Makes an append idempotent. The thread is part of it, so that nobody can notice an id in another's thread. The id comes
-- before it: ids are made in the order of time, and so new ones go to the end. As with the indexes of lists, the conditions of
-- this and the next are true of every message, and only what is to be served by the one or the other has its condition.
CREATE UNIQUE INDEX chat_message_id ON chat_message (org_id, id, chat_thread_id) WHERE revision >= 0;
-- What a search finds across threads, newest or oldest first.
CREATE INDEX chat_message_recent ON chat_message (org_id, created_at, chat_thread_id, position) WHERE status >= 0;
-- What a window reads of a long thread besides its end: the few messages that instruct the model.
CREATE INDEX chat_message_instructions ON chat_message (org_id, chat_thread_id, branch, position)
    WHERE sender_role IN ('system', 'developer');
-- New words are put into a list, and cleaned from there by chatkeep_clean_search, long before it is as long as this.
CREATE INDEX chat_message_search ON chat_message USING gin (search) WITH (gin_pending_list_limit = 131072);

CREATE TABLE chat_message_revision (
    org_id text COLLATE "C" NOT NULL,
    chat_thread_id uuid NOT NULL,
    message_id uuid NOT NULL,
    revision integer NOT NULL,
    content text NOT NULL,
    written_at timestamptz NOT NULL,
    edited_at timestamptz,
    PRIMARY KEY (org_id, chat_thread_id, message_id, revision),
    FOREIGN KEY (org_id, chat_thread_id) REFERENCES chat_thread (org_id, id) ON DELETE CASCADE
);

-- Puts the words of new messages into the index, unless somebody else does so right now. The right to do that is the
-- owner's alone, and so this runs as the owner. NULL: somebody else did. The lock's number is any of ours.
CREATE FUNCTION chatkeep_clean_search() RETURNS bigint
    LANGUAGE sql SECURITY DEFINER SET search_path FROM CURRENT SET work_mem = '64MB'
AS $$
    SELECT sum(gin_clean_pending_list(c.oid::regclass))::bigint
    FROM pg_catalog.pg_class c
    WHERE c.relkind = 'i'
      AND c.oid IN (SELECT 'chat_message_search'::regclass::oid
                    UNION ALL SELECT relid::oid FROM pg_catalog.pg_partition_tree('chat_message_search'))
      AND pg_catalog.pg_try_advisory_xact_lock('chat_message_search'::regclass::oid::bigint + 7162258618228580352)
$$;
