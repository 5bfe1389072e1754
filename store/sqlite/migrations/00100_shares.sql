-- +goose Up
-- Processes that divide work among themselves, and who owns which part of it.
CREATE TABLE processes (
  work TEXT NOT NULL,
  id TEXT NOT NULL,
  beat INTEGER NOT NULL,
  PRIMARY KEY (work, id)
) WITHOUT ROWID, STRICT;
CREATE TABLE shares (
  work TEXT NOT NULL,
  part INTEGER NOT NULL,
  owner TEXT NOT NULL,
  PRIMARY KEY (work, part)
) WITHOUT ROWID, STRICT;
