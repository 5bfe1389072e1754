-- +goose Up
-- Credentials that were revoked lately, so that every gateway can end their connections.
CREATE TABLE revoked_credentials (
  id TEXT PRIMARY KEY,
  at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX revoked_credentials_at ON revoked_credentials (at);
