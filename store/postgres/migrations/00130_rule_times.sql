-- +goose Up
-- When each version of a rule was made, and when the next one or its end came. What was superseded before is not known
-- by time, and what was in force then counts as if it had always been.
ALTER TABLE rule_versions ADD COLUMN made BIGINT NOT NULL DEFAULT 0;
ALTER TABLE rule_versions ADD COLUMN ended BIGINT;
UPDATE rule_versions SET ended = 0 WHERE superseded IS NOT NULL;
CREATE INDEX rule_versions_tenant ON rule_versions (tenant, made);
