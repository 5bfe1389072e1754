-- +goose Up
-- Who may call the API; only the hashes of keys are kept.
CREATE TABLE api_keys (
  id      TEXT COLLATE "C" PRIMARY KEY,
  tenant  TEXT COLLATE "C" NOT NULL,
  name    TEXT COLLATE "C" NOT NULL,
  role    TEXT COLLATE "C" NOT NULL,
  hash    TEXT COLLATE "C" NOT NULL UNIQUE,
  created BIGINT NOT NULL,
  expires BIGINT NOT NULL,
  used    BIGINT NOT NULL -- last call, kept to the hour; 0: never
);
CREATE INDEX api_keys_tenant ON api_keys (tenant);
