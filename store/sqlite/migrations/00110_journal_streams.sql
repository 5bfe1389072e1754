-- +goose Up
-- The JetStream streams whose positions the lanes have, so that one that was lost and made anew is noticed. None: a journal in files.
CREATE TABLE journal_streams (
  name TEXT PRIMARY KEY,
  made TEXT NOT NULL -- by the servers' clock, RFC 3339 with nanoseconds
) STRICT;
