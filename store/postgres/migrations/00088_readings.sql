-- +goose Up
-- Every version of every rule, since rules may say how the engine is to read geofences. rule is NULL where it was deleted;
-- superseded is the revision of the next version; NULL: current. Revisions are counted together with those of geofences.
CREATE TABLE rule_versions (
  revision   BIGINT PRIMARY KEY,
  tenant     TEXT COLLATE "C" NOT NULL,
  id         TEXT COLLATE "C" NOT NULL,
  rule       TEXT COLLATE "C",
  superseded BIGINT
);
CREATE UNIQUE INDEX rule_versions_current ON rule_versions (tenant, id) WHERE superseded IS NULL;
CREATE INDEX rule_versions_superseded ON rule_versions (superseded) WHERE superseded IS NOT NULL;
INSERT INTO rule_versions (revision, tenant, id, rule) SELECT revision, tenant, id, rule FROM rules;
UPDATE counters SET value = (SELECT MAX(value) FROM counters WHERE name IN ('fence_revision', 'rule_revision')) WHERE name = 'fence_revision';
DELETE FROM counters WHERE name = 'rule_revision';
ALTER TABLE crossings ADD COLUMN reading TEXT COLLATE "C" NOT NULL DEFAULT '';
