-- +goose Up
CREATE TABLE rules (
  tenant   TEXT NOT NULL,
  id       TEXT NOT NULL,
  revision INTEGER NOT NULL,
  rule     TEXT NOT NULL,
  updated  INTEGER NOT NULL,
  PRIMARY KEY (tenant, id)
) WITHOUT ROWID;
INSERT INTO counters (name, value) VALUES ('rule_revision', 0);
