-- What people look for among millions of rows, and may be rare: a model, what failed, what was
-- warned of.

CREATE INDEX request_model ON request (model);
CREATE INDEX request_refused ON request (seq) WHERE status >= 400;
CREATE INDEX log_worse ON log (id) WHERE level >= 2;
