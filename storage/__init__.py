"""What is kept: the SQLite ledger and log, one writer, read-only readers, and where files live."""
