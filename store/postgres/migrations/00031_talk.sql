-- +goose Up
-- What an owner asked for in chat: quiet hours, and what to be told one time.
ALTER TABLE owners ADD COLUMN quiet TEXT COLLATE "C" NOT NULL DEFAULT 'null';
ALTER TABLE owners ADD COLUMN once TEXT COLLATE "C" NOT NULL DEFAULT 'null';

-- When the person said that they saw the alert, and what they tapped.
ALTER TABLE deliveries ADD COLUMN acked BIGINT NOT NULL DEFAULT 0;
ALTER TABLE deliveries ADD COLUMN acked_by TEXT COLLATE "C" NOT NULL DEFAULT '';
CREATE INDEX deliveries_acked ON deliveries (tenant, (alert ->> 'event')) WHERE acked > 0;

-- The open question of a person.
CREATE TABLE questions (
  page  TEXT COLLATE "C" NOT NULL,
  psid  TEXT COLLATE "C" NOT NULL,
  body  TEXT COLLATE "C" NOT NULL,
  until BIGINT NOT NULL,
  PRIMARY KEY (page, psid)
);
CREATE INDEX questions_until ON questions (until);
