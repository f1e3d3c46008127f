-- The x-request-id that a client sent. It may come twice (a retry, a proxy that makes none), so it is
-- beside our own and not in its place.
ALTER TABLE request ADD COLUMN sent_id TEXT NOT NULL DEFAULT '';
CREATE INDEX request_sent_id ON request (sent_id) WHERE sent_id <> '';
