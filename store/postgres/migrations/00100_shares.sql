-- +goose Up
-- Processes that divide work among themselves, and who owns which part of it.
CREATE TABLE processes (
  work TEXT COLLATE "C" NOT NULL,
  id TEXT COLLATE "C" NOT NULL,
  beat BIGINT NOT NULL,
  PRIMARY KEY (work, id)
);
CREATE TABLE shares (
  work TEXT COLLATE "C" NOT NULL,
  part INTEGER NOT NULL,
  owner TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (work, part)
);
