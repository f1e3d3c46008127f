-- What an attempt left out of its request, and its answer's way back: names, as JSON; '' for nothing.
ALTER TABLE attempt ADD COLUMN dropped TEXT NOT NULL DEFAULT '';
