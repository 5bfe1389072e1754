-- +goose Up
-- Who signs in at the console.
CREATE TABLE people (
  id       TEXT PRIMARY KEY, -- with what they sign in
  tenant   TEXT NOT NULL,
  name     TEXT NOT NULL,
  role     TEXT NOT NULL,
  password TEXT NOT NULL, -- Argon2id hash; '': none
  disabled INTEGER NOT NULL, -- 1: may not sign in
  created  INTEGER NOT NULL,
  updated  INTEGER NOT NULL,
  used     INTEGER NOT NULL -- last sign-in; 0: never
) STRICT, WITHOUT ROWID;
CREATE INDEX people_tenant ON people (tenant, id);

CREATE TABLE sessions (
  hash    TEXT PRIMARY KEY, -- of the cookie's token
  person  TEXT NOT NULL,
  created INTEGER NOT NULL,
  seen    INTEGER NOT NULL -- kept to the minute
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_person ON sessions (person);
