-- What an attempt's cost consists of and where its price came from; whose money it is; and sums by
-- quarter hour and day, so that a screen's question is answered from hundreds of rows, not millions.

ALTER TABLE request ADD COLUMN project TEXT NOT NULL DEFAULT '';
ALTER TABLE request ADD COLUMN team TEXT NOT NULL DEFAULT '';
ALTER TABLE request ADD COLUMN user TEXT NOT NULL DEFAULT '';
ALTER TABLE request ADD COLUMN tags TEXT NOT NULL DEFAULT ''; -- JSON array, '' for none

-- contract.Spend: these add up to cost, but for spend_saved
ALTER TABLE attempt ADD COLUMN spend_input INTEGER NOT NULL DEFAULT 0;
ALTER TABLE attempt ADD COLUMN spend_cache_read INTEGER NOT NULL DEFAULT 0;
ALTER TABLE attempt ADD COLUMN spend_cache_write INTEGER NOT NULL DEFAULT 0;
ALTER TABLE attempt ADD COLUMN spend_output INTEGER NOT NULL DEFAULT 0;
ALTER TABLE attempt ADD COLUMN spend_fees INTEGER NOT NULL DEFAULT 0;
ALTER TABLE attempt ADD COLUMN spend_saved INTEGER NOT NULL DEFAULT 0;
ALTER TABLE attempt ADD COLUMN price TEXT NOT NULL DEFAULT '';
ALTER TABLE attempt ADD COLUMN apart TEXT NOT NULL DEFAULT ''; -- contract.Apart, '' for none

-- The money of every attempt with what it is summed by. Money, tokens and the model are those of
-- the attempt, so that each provider's sum is its bill; a request is counted with its last attempt.
-- A request without an attempt was refused before a model was chosen, or was told to us as one.
CREATE VIEW entry AS
SELECT
    r.seq,
    r.started_at,
    CAST(r.started_at AS INTEGER) / 900 * 900 AS quarter,
    r.door, r.key, r.project, r.team, r.user, r.session, r.agent,
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

-- Sums of `entry`. `kind` is what is summed by (storage/rolls.py), `span` 900, 3600 or 86400 seconds,
-- `start` the Unix second at which the span begins, in UTC.
CREATE TABLE roll (
    kind TEXT NOT NULL,
    span INTEGER NOT NULL,
    start INTEGER NOT NULL,
    name TEXT NOT NULL,
    simulated INTEGER NOT NULL,
    first_at REAL NOT NULL,
    last_at REAL NOT NULL,
    requests INTEGER NOT NULL,
    errors INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    unpriced INTEGER NOT NULL,
    input INTEGER NOT NULL,
    cache_read INTEGER NOT NULL,
    cache_write INTEGER NOT NULL,
    cache_write_1h INTEGER NOT NULL,
    output INTEGER NOT NULL,
    reasoning INTEGER NOT NULL,
    estimated INTEGER NOT NULL,
    cost INTEGER NOT NULL,
    spend_input INTEGER NOT NULL,
    spend_cache_read INTEGER NOT NULL,
    spend_cache_write INTEGER NOT NULL,
    spend_output INTEGER NOT NULL,
    spend_fees INTEGER NOT NULL,
    spend_saved INTEGER NOT NULL,
    PRIMARY KEY (kind, span, start, name, simulated)
) WITHOUT ROWID;

-- Up to which request they are made; the few that follow are added up by whoever asks.
INSERT INTO meta VALUES ('rolled_to', 0);
-- Before this there are no rows any more, and sums are not asked for.
INSERT INTO meta VALUES ('pruned_to', 0);
