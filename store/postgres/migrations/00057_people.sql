-- +goose Up
-- Who signs in at the console.
CREATE TABLE people (
  id       TEXT COLLATE "C" PRIMARY KEY, -- with what they sign in
  tenant   TEXT COLLATE "C" NOT NULL,
  name     TEXT COLLATE "C" NOT NULL,
  role     TEXT COLLATE "C" NOT NULL,
  password TEXT COLLATE "C" NOT NULL, -- Argon2id hash; '': none
  disabled BIGINT NOT NULL, -- 1: may not sign in
  created  BIGINT NOT NULL,
  updated  BIGINT NOT NULL,
  used     BIGINT NOT NULL -- last sign-in; 0: never
);
CREATE INDEX people_tenant ON people (tenant, id);

CREATE TABLE sessions (
  hash    TEXT COLLATE "C" PRIMARY KEY, -- of the cookie's token
  person  TEXT COLLATE "C" NOT NULL,
  created BIGINT NOT NULL,
  seen    BIGINT NOT NULL -- kept to the minute
);
CREATE INDEX sessions_person ON sessions (person);
