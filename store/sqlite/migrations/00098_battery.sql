-- +goose Up
ALTER TABLE last_fixes ADD COLUMN battery REAL; -- percent; NULL: unknown
