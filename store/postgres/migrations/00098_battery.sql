-- +goose Up
ALTER TABLE last_fixes ADD COLUMN battery DOUBLE PRECISION; -- percent; NULL: unknown
