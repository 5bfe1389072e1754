-- +goose Up
-- Who changed what. A status of 0 stands for an outcome that is not known.
CREATE TABLE audit (
  seq       BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  tenant    TEXT COLLATE "C" NOT NULL,
  at        BIGINT NOT NULL,
  actor     TEXT COLLATE "C" NOT NULL, -- '': the bootstrap key
  name      TEXT COLLATE "C" NOT NULL,
  operation TEXT COLLATE "C" NOT NULL,
  target    TEXT COLLATE "C" NOT NULL,
  request   TEXT COLLATE "C" NOT NULL,
  status    BIGINT NOT NULL,
  old       TEXT COLLATE "C" NOT NULL, -- JSON, or nothing
  new       TEXT COLLATE "C" NOT NULL
);
CREATE INDEX audit_tenant ON audit (tenant, seq);

-- Answers to requests with an idempotency key, sealed.
CREATE TABLE replies (
  id      TEXT COLLATE "C" PRIMARY KEY, -- hash of who asked for what under which key
  request TEXT COLLATE "C" NOT NULL, -- hash of the request
  at      BIGINT NOT NULL,
  status  BIGINT NOT NULL, -- 0: under way
  answer  TEXT COLLATE "C" NOT NULL
);
CREATE INDEX replies_at ON replies (at);
