-- +goose Up
-- What an owner asked for in chat: quiet hours, and what to be told one time.
ALTER TABLE owners ADD COLUMN quiet TEXT NOT NULL DEFAULT 'null';
ALTER TABLE owners ADD COLUMN once TEXT NOT NULL DEFAULT 'null';

-- When the person said that they saw the alert, and what they tapped.
ALTER TABLE deliveries ADD COLUMN acked INTEGER NOT NULL DEFAULT 0;
ALTER TABLE deliveries ADD COLUMN acked_by TEXT NOT NULL DEFAULT '';
CREATE INDEX deliveries_acked ON deliveries (tenant, json_extract(alert, '$.event')) WHERE acked > 0;

-- The open question of a person.
CREATE TABLE questions (
  page  TEXT NOT NULL,
  psid  TEXT NOT NULL,
  body  TEXT NOT NULL,
  until INTEGER NOT NULL,
  PRIMARY KEY (page, psid)
) WITHOUT ROWID;
CREATE INDEX questions_until ON questions (until);
