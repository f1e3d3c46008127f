-- Which words stand in which stretch of requests, so that a word, a provider or a user is looked for
-- only where there is one: storage/search.py reads it, storage/rolls.py writes it.

CREATE TABLE gist (
    last INTEGER NOT NULL, -- seqs of requests, both among them
    first INTEGER NOT NULL,
    words TEXT NOT NULL, -- the fields that requests are looked for by, one a line
    PRIMARY KEY (last, first, words)
) WITHOUT ROWID;
-- Up to here there is none: those are looked through one by one.
INSERT INTO meta SELECT 'gist_from', value FROM meta WHERE name = 'rolled_to';

-- What failed is rare: by itself it may tell all that is asked of it.
DROP INDEX request_refused;
CREATE INDEX request_refused ON request (seq, status, provider, model, door, key, user)
WHERE status >= 400;
-- Sums by tag.
CREATE INDEX request_tagged ON request (started_at, state, simulated, cost, tags) WHERE tags <> '';

-- The same as before, and what a request is looked for by.
DROP VIEW entry;
CREATE VIEW entry AS
SELECT
    r.seq,
    r.started_at,
    CAST(r.started_at AS INTEGER) / 900 * 900 AS quarter,
    r.door, r.key, r.project, r.team, r.user, r.session, r.agent, r.asked, r.client, r.error,
    CASE WHEN COALESCE(a.provider, r.provider) = '' THEN ''
        ELSE COALESCE(a.provider || ',' || a.model, r.provider || ',' || r.model) END AS model,
    CASE WHEN r.rule = '' THEN '' ELSE r.rule || ',' || r.provider || ',' || r.model END AS rule,
    COALESCE(a.simulated, r.simulated) AS simulated,
    CASE
        WHEN a.number IS NULL AND r.provider = '' AND r.state = 'failed' THEN 'refused'
        WHEN a.number IS NULL OR a.number = r.attempts
            THEN CASE r.state WHEN 'done' THEN 'answered' ELSE r.state END
        WHEN EXISTS (
            SELECT 1 FROM attempt n WHERE n.request = r.seq AND n.number = a.number + 1
            AND n.provider = a.provider AND n.model = a.model
        ) THEN 'retried'
        ELSE 'failed over'
    END AS outcome,
    (a.number IS NULL OR a.number = r.attempts) AS requests,
    (a.number IS NULL OR a.number = r.attempts)
        AND r.state IN ('failed', 'interrupted') AS errors,
    COALESCE(a.provider, r.provider) <> '' AS attempts,
    CASE WHEN a.number IS NULL THEN r.cost ELSE a.cost END IS NULL AS unpriced,
    COALESCE(a.input, r.input) AS input,
    COALESCE(a.cache_read, r.cache_read) AS cache_read,
    COALESCE(a.cache_write, r.cache_write) AS cache_write,
    COALESCE(a.cache_write_1h, r.cache_write_1h) AS cache_write_1h,
    COALESCE(a.output, r.output) AS output,
    COALESCE(a.reasoning, r.reasoning) AS reasoning,
    COALESCE(a.estimated, r.estimated) AS estimated,
    COALESCE(CASE WHEN a.number IS NULL THEN r.cost ELSE a.cost END, 0) AS cost,
    COALESCE(a.spend_input, 0) AS spend_input,
    COALESCE(a.spend_cache_read, 0) AS spend_cache_read,
    COALESCE(a.spend_cache_write, 0) AS spend_cache_write,
    COALESCE(a.spend_output, 0) AS spend_output,
    COALESCE(a.spend_fees, 0) AS spend_fees,
    COALESCE(a.spend_saved, 0) AS spend_saved
FROM request r LEFT JOIN attempt a ON a.request = r.seq
WHERE r.state <> 'running';
