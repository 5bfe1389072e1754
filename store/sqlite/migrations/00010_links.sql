-- +goose Up
-- One-time codes that link an owner to a person; only their hash is kept.
CREATE TABLE link_codes (
  hash    TEXT PRIMARY KEY,
  tenant  TEXT NOT NULL,
  owner   TEXT NOT NULL,
  page    TEXT NOT NULL,
  vehicle TEXT NOT NULL,
  asid    TEXT NOT NULL,
  created INTEGER NOT NULL,
  expires INTEGER NOT NULL,
  used    INTEGER NOT NULL,
  psid    TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX link_codes_expires ON link_codes (expires);
CREATE INDEX link_codes_asid ON link_codes (asid) WHERE asid <> '';

-- Who was linked, and how: what must be deleted when the person behind an app-scoped id asks for it.
CREATE TABLE links (
  tenant TEXT NOT NULL,
  owner  TEXT NOT NULL,
  page   TEXT NOT NULL,
  psid   TEXT NOT NULL,
  asid   TEXT NOT NULL,
  via    TEXT NOT NULL,
  at     INTEGER NOT NULL,
  PRIMARY KEY (tenant, owner, page, psid)
) WITHOUT ROWID;
CREATE INDEX links_asid ON links (asid) WHERE asid <> '';

CREATE TABLE accounts (
  asid     TEXT PRIMARY KEY,
  token    TEXT NOT NULL, -- sealed
  alive    INTEGER NOT NULL, -- there is a token
  expires  INTEGER NOT NULL,
  pages    TEXT NOT NULL,
  login_id TEXT NOT NULL,
  updated  INTEGER NOT NULL
) WITHOUT ROWID;

-- Who agreed, while logging in, to be written to by a page.
CREATE TABLE opt_ins (
  page     TEXT NOT NULL,
  login_id TEXT NOT NULL,
  at       INTEGER NOT NULL,
  PRIMARY KEY (login_id, page)
) WITHOUT ROWID;

CREATE TABLE erasures (
  hash       TEXT PRIMARY KEY,
  requested  INTEGER NOT NULL,
  done       INTEGER NOT NULL,
  contacts   INTEGER NOT NULL,
  deliveries INTEGER NOT NULL,
  known      INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE page_health (
  page   TEXT PRIMARY KEY,
  health TEXT NOT NULL
) WITHOUT ROWID;

-- When Meta blocked the page, why, and how old the newest word on it is.
ALTER TABLE pages ADD COLUMN blocked INTEGER NOT NULL DEFAULT 0;
ALTER TABLE pages ADD COLUMN block_reason TEXT NOT NULL DEFAULT '';
ALTER TABLE pages ADD COLUMN policy_at INTEGER NOT NULL DEFAULT 0;

-- What people said that nobody has answered yet.
CREATE TABLE said (
  seq     INTEGER PRIMARY KEY AUTOINCREMENT,
  page    TEXT NOT NULL,
  psid    TEXT NOT NULL,
  kind    TEXT NOT NULL,
  mid     TEXT NOT NULL,
  body    TEXT NOT NULL,
  payload TEXT NOT NULL,
  at      INTEGER NOT NULL,
  received INTEGER NOT NULL
);
CREATE INDEX said_person ON said (page, psid);

CREATE INDEX deliveries_unaddressed ON deliveries (tenant, json_extract(alert, '$.owner')) WHERE state = 'held' AND reason = 'no_contact';
