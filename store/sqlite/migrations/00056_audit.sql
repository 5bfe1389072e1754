-- +goose Up
-- Who changed what. A status of 0 stands for an outcome that is not known.
CREATE TABLE audit (
  seq       INTEGER PRIMARY KEY AUTOINCREMENT,
  tenant    TEXT NOT NULL,
  at        INTEGER NOT NULL,
  actor     TEXT NOT NULL, -- '': the bootstrap key
  name      TEXT NOT NULL,
  operation TEXT NOT NULL,
  target    TEXT NOT NULL,
  request   TEXT NOT NULL,
  status    INTEGER NOT NULL,
  old       TEXT NOT NULL, -- JSON, or nothing
  new       TEXT NOT NULL
) STRICT;
CREATE INDEX audit_tenant ON audit (tenant, seq);

-- Answers to requests with an idempotency key, sealed.
CREATE TABLE replies (
  id      TEXT PRIMARY KEY, -- hash of who asked for what under which key
  request TEXT NOT NULL, -- hash of the request
  at      INTEGER NOT NULL,
  status  INTEGER NOT NULL, -- 0: under way
  answer  TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX replies_at ON replies (at);
