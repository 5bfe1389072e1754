-- +goose Up
-- Credentials that were revoked lately, so that every gateway can end their connections.
CREATE TABLE revoked_credentials (
  id TEXT COLLATE "C" PRIMARY KEY,
  at BIGINT NOT NULL
);
CREATE INDEX revoked_credentials_at ON revoked_credentials (at);
