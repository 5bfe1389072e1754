-- +goose Up
-- Who may call the API; only the hashes of keys are kept.
CREATE TABLE api_keys (
  id      TEXT PRIMARY KEY,
  tenant  TEXT NOT NULL,
  name    TEXT NOT NULL,
  role    TEXT NOT NULL,
  hash    TEXT NOT NULL UNIQUE,
  created INTEGER NOT NULL,
  expires INTEGER NOT NULL,
  used    INTEGER NOT NULL -- last call, kept to the hour; 0: never
) WITHOUT ROWID;
CREATE INDEX api_keys_tenant ON api_keys (tenant);
