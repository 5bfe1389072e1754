-- +goose Up
-- What an owner does not want to hear of for a while, as they said in chat.
ALTER TABLE owners ADD COLUMN mutes TEXT NOT NULL DEFAULT 'null';
