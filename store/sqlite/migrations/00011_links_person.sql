-- +goose Up
CREATE INDEX links_person ON links (page, psid);
