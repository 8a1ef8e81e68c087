-- All organizations that have threads: each is found by a look into the index behind the one before.
WITH RECURSIVE orgs AS (
    (SELECT org_id FROM chat_thread ORDER BY org_id LIMIT 1)
    UNION ALL
    SELECT (SELECT t.org_id FROM chat_thread t WHERE t.org_id > orgs.org_id ORDER BY t.org_id LIMIT 1)
    FROM orgs WHERE orgs.org_id IS NOT NULL)
SELECT org_id FROM orgs WHERE org_id IS NOT NULL
