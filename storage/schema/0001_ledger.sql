-- The ledger's first shape. Money is integer nano-dollars, NULL where a price is unknown (never 0);
-- times are Unix seconds; durations end in _ms. No table holds a prompt, an answer or a credential.
-- Columns are named after the fields of router/contract and stand in their order.

CREATE TABLE request (
    -- Without AUTOINCREMENT: an upsert would burn a number. Retention keeps the newest row instead,
    -- so that no number is given twice.
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    started_at REAL NOT NULL,
    state TEXT NOT NULL,
    door TEXT NOT NULL,
    dialect TEXT NOT NULL,
    client TEXT NOT NULL,
    session TEXT NOT NULL,
    agent TEXT NOT NULL,
    key TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    asked TEXT NOT NULL,
    provider TEXT NOT NULL,
    model TEXT NOT NULL,
    simulated INTEGER NOT NULL,
    rule TEXT NOT NULL,
    value TEXT NOT NULL,
    stream INTEGER NOT NULL,
    status INTEGER,
    input INTEGER NOT NULL,
    cache_read INTEGER NOT NULL,
    cache_write INTEGER NOT NULL,
    cache_write_1h INTEGER NOT NULL,
    output INTEGER NOT NULL,
    reasoning INTEGER NOT NULL,
    estimated INTEGER NOT NULL,
    cost INTEGER,
    attempts INTEGER NOT NULL,
    ttft_ms REAL,
    duration_ms REAL,
    error TEXT NOT NULL,
    looks TEXT NOT NULL, -- JSON array of contract.Look
    facts TEXT NOT NULL -- JSON object, contract.Facts
);

-- costs, totals and retention, by time
CREATE INDEX request_started ON request (started_at);
-- one conversation's history
CREATE INDEX request_session ON request (session) WHERE session <> '';
-- what a killed router left behind; nearly empty
CREATE INDEX request_running ON request (seq) WHERE state = 'running';

CREATE TABLE attempt (
    request INTEGER NOT NULL REFERENCES request (seq),
    number INTEGER NOT NULL,
    provider TEXT NOT NULL,
    model TEXT NOT NULL,
    started_at REAL NOT NULL,
    simulated INTEGER NOT NULL,
    status INTEGER,
    outcome TEXT NOT NULL,
    error TEXT NOT NULL,
    first_byte_ms REAL,
    duration_ms REAL,
    input INTEGER NOT NULL,
    cache_read INTEGER NOT NULL,
    cache_write INTEGER NOT NULL,
    cache_write_1h INTEGER NOT NULL,
    output INTEGER NOT NULL,
    reasoning INTEGER NOT NULL,
    estimated INTEGER NOT NULL,
    cost INTEGER,
    reason TEXT NOT NULL,
    PRIMARY KEY (request, number)
) WITHOUT ROWID;

CREATE TABLE log (
    id INTEGER PRIMARY KEY AUTOINCREMENT, -- a follower asks for ids above the last one it saw
    at REAL NOT NULL,
    level INTEGER NOT NULL, -- 0 debug, 1 info, 2 warning, 3 error
    source TEXT NOT NULL,
    message TEXT NOT NULL,
    request TEXT NOT NULL,
    simulated INTEGER NOT NULL
);
CREATE INDEX log_at ON log (at);
CREATE INDEX log_request ON log (request) WHERE request <> '';

CREATE TABLE override (
    id TEXT PRIMARY KEY,
    scope TEXT NOT NULL,
    target TEXT NOT NULL,
    set_at REAL NOT NULL,
    expires_at REAL,
    set_by TEXT NOT NULL,
    forced INTEGER NOT NULL,
    served INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
-- Since when the history is whole: retention moves it forward.
INSERT INTO meta VALUES ('reaches_back_to', CAST(strftime('%s', 'now') AS REAL));
