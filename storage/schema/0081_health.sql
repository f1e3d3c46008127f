-- When a service's state changed. No row says that nothing did.
CREATE TABLE health (
    at REAL NOT NULL,
    service TEXT NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    reason TEXT NOT NULL
);
CREATE INDEX health_at ON health (at);
CREATE INDEX health_service ON health (service, at);
