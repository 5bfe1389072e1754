-- +goose Up
CREATE TABLE rules (
  tenant   TEXT COLLATE "C" NOT NULL,
  id       TEXT COLLATE "C" NOT NULL,
  revision BIGINT NOT NULL,
  rule     TEXT COLLATE "C" NOT NULL,
  updated  BIGINT NOT NULL,
  PRIMARY KEY (tenant, id)
);
INSERT INTO counters (name, value) VALUES ('rule_revision', 0);
