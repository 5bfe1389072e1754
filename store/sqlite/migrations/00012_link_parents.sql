-- +goose Up
-- The code from which this one was made: using one of a family uses all.
ALTER TABLE link_codes ADD COLUMN parent TEXT NOT NULL DEFAULT '';
CREATE INDEX link_codes_parent ON link_codes (parent) WHERE parent <> '';
