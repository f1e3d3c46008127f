-- The first choice of a request that was not asked at all, since it rested or was full.
ALTER TABLE request ADD COLUMN passed TEXT NOT NULL DEFAULT '';
