-- +goose Up
-- rank 0 is urgent, 1 is an alert. away: was held until the person wrote. leader: id of the delivery in whose
-- digest it goes out. trace: what was tried, one JSON object a line.
ALTER TABLE deliveries ADD COLUMN rank INTEGER NOT NULL DEFAULT 1;
ALTER TABLE deliveries ADD COLUMN away INTEGER NOT NULL DEFAULT 0;
ALTER TABLE deliveries ADD COLUMN leader TEXT NOT NULL DEFAULT '';
ALTER TABLE deliveries ADD COLUMN trace TEXT NOT NULL DEFAULT '';
DROP INDEX deliveries_pending;
DROP INDEX deliveries_pending_person;
CREATE INDEX deliveries_pending ON deliveries (page, rank, event_at, seq) WHERE state = 'pending';
CREATE INDEX deliveries_pending_person ON deliveries (page, psid, rank, event_at, seq) WHERE state = 'pending';
CREATE INDEX deliveries_away ON deliveries (page, psid, event_at, seq) WHERE state = 'pending' AND away = 1;
DROP INDEX deliveries_busy;
CREATE INDEX deliveries_busy ON deliveries (page, psid, rank) WHERE state IN ('sending', 'settling');
CREATE INDEX deliveries_leader ON deliveries (leader) WHERE leader <> '';

-- The shape of a template: the first version took three parameters and one button, and so had a page's own.
ALTER TABLE templates ADD COLUMN params INTEGER NOT NULL DEFAULT 3;
ALTER TABLE templates ADD COLUMN buttons INTEGER NOT NULL DEFAULT 1;

ALTER TABLE pages ADD COLUMN routes TEXT NOT NULL DEFAULT 'null';

CREATE TABLE texts (
  tenant   TEXT NOT NULL,
  language TEXT NOT NULL,
  texts    TEXT NOT NULL,
  updated  INTEGER NOT NULL,
  PRIMARY KEY (tenant, language)
) WITHOUT ROWID;
