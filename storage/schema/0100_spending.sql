-- Who may spend what: keys (only their sha256), teams, users, budgets, and models that were added
-- over HTTP. `data` is JSON of a struct in router/spending; the ledger need not know it.
CREATE TABLE kept (
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    data TEXT NOT NULL,
    PRIMARY KEY (kind, id)
) WITHOUT ROWID;

-- What retention has deleted, by day: a budget without an end must not forget its beginning. Of
-- sessions nothing is carried: there is no end to them.
CREATE TABLE carried (
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    day INTEGER NOT NULL,
    cost INTEGER NOT NULL,
    PRIMARY KEY (kind, name, day)
) WITHOUT ROWID;

CREATE TRIGGER carry AFTER DELETE ON roll
WHEN old.span = 900 AND old.simulated = 0 AND old.cost <> 0
    AND old.kind IN ('door', 'key', 'team', 'user', 'project', 'model')
BEGIN
    INSERT INTO carried VALUES (old.kind, old.name, old.start / 86400 * 86400, old.cost)
    ON CONFLICT (kind, name, day) DO UPDATE SET cost = cost + excluded.cost;
END;
