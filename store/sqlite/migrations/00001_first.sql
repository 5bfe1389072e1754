-- +goose Up
CREATE TABLE counters (
  name  TEXT PRIMARY KEY,
  value INTEGER NOT NULL
) WITHOUT ROWID;
INSERT INTO counters (name, value) VALUES ('fence_revision', 0), ('lease', 0);

-- Every version of every fence. superseded is the revision of the next version; NULL: current.
CREATE TABLE geofences (
  revision   INTEGER PRIMARY KEY,
  tenant     TEXT NOT NULL,
  id         TEXT NOT NULL,
  name       TEXT NOT NULL,
  feature    BLOB,
  west REAL NOT NULL, south REAL NOT NULL, east REAL NOT NULL, north REAL NOT NULL,
  deleted    INTEGER NOT NULL DEFAULT 0,
  updated    INTEGER NOT NULL,
  superseded INTEGER
);
CREATE UNIQUE INDEX geofences_current ON geofences (tenant, id) WHERE superseded IS NULL;
CREATE INDEX geofences_superseded ON geofences (superseded) WHERE superseded IS NOT NULL;
CREATE INDEX geofences_deleted ON geofences (revision) WHERE superseded IS NULL AND deleted = 1;

CREATE TABLE vehicles (
  tenant  TEXT NOT NULL,
  id      TEXT NOT NULL,
  name    TEXT NOT NULL,
  owners  TEXT NOT NULL,
  tags    TEXT NOT NULL,
  device  TEXT NOT NULL,
  updated INTEGER NOT NULL,
  PRIMARY KEY (tenant, id)
) WITHOUT ROWID;

CREATE TABLE owners (
  tenant    TEXT NOT NULL,
  id        TEXT NOT NULL,
  name      TEXT NOT NULL,
  locale    TEXT NOT NULL,
  time_zone TEXT NOT NULL,
  contacts  TEXT NOT NULL,
  fallback  TEXT NOT NULL, -- sealed
  updated   INTEGER NOT NULL,
  PRIMARY KEY (tenant, id)
) WITHOUT ROWID;

CREATE TABLE pages (
  id           TEXT PRIMARY KEY,
  tenant       TEXT NOT NULL,
  name         TEXT NOT NULL,
  access_token TEXT NOT NULL, -- sealed
  tag          TEXT NOT NULL,
  templates    TEXT NOT NULL,
  updated      INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE last_fixes (
  tenant   TEXT NOT NULL,
  vehicle  TEXT NOT NULL,
  time     INTEGER NOT NULL,
  received INTEGER NOT NULL,
  lon REAL NOT NULL, lat REAL NOT NULL,
  accuracy REAL, speed REAL, heading REAL, altitude REAL, hdop REAL, -- NULL: unknown
  ignition INTEGER NOT NULL,
  PRIMARY KEY (tenant, vehicle)
) WITHOUT ROWID;

CREATE TABLE lanes (
  partition INTEGER PRIMARY KEY,
  next      INTEGER NOT NULL,
  clock     INTEGER NOT NULL,
  revision  INTEGER NOT NULL,
  epoch     INTEGER NOT NULL
);

-- From position at on, the lane evaluated with the fences of the revision.
CREATE TABLE adoptions (
  partition INTEGER NOT NULL,
  at        INTEGER NOT NULL,
  revision  INTEGER NOT NULL,
  PRIMARY KEY (partition, at)
) WITHOUT ROWID;

CREATE TABLE memberships (
  tenant    TEXT NOT NULL,
  vehicle   TEXT NOT NULL,
  fence     TEXT NOT NULL,
  partition INTEGER NOT NULL,
  since     INTEGER NOT NULL,
  PRIMARY KEY (tenant, vehicle, fence)
) WITHOUT ROWID;
CREATE INDEX memberships_partition ON memberships (partition);

CREATE TABLE crossings (
  seq        INTEGER PRIMARY KEY AUTOINCREMENT,
  id         TEXT NOT NULL UNIQUE,
  tenant     TEXT NOT NULL,
  vehicle    TEXT NOT NULL,
  fence      TEXT NOT NULL,
  fence_rev  INTEGER NOT NULL,
  fence_name TEXT NOT NULL,
  kind       TEXT NOT NULL,
  at         INTEGER NOT NULL,
  lon REAL NOT NULL, lat REAL NOT NULL,
  confidence INTEGER NOT NULL,
  why        TEXT NOT NULL,
  late       INTEGER NOT NULL,
  received   INTEGER NOT NULL,
  recorded   INTEGER NOT NULL
);
CREATE INDEX crossings_tenant ON crossings (tenant, seq);
CREATE INDEX crossings_vehicle ON crossings (tenant, vehicle, seq);
CREATE INDEX crossings_fence ON crossings (tenant, fence, seq);

-- The outbox, and the record of what became of each message.
CREATE TABLE deliveries (
  seq        INTEGER PRIMARY KEY AUTOINCREMENT,
  id         TEXT NOT NULL UNIQUE,
  tenant     TEXT NOT NULL,
  vehicle    TEXT NOT NULL,
  fence      TEXT NOT NULL,
  page       TEXT NOT NULL,
  psid       TEXT NOT NULL,
  alert      TEXT NOT NULL,
  event_at   INTEGER NOT NULL,
  state      TEXT NOT NULL,
  route      TEXT NOT NULL,
  reason     TEXT NOT NULL,
  detail     TEXT NOT NULL,
  attempts   INTEGER NOT NULL,
  next_at    INTEGER NOT NULL,
  lease      INTEGER NOT NULL,
  created    INTEGER NOT NULL,
  claimed    INTEGER NOT NULL,
  sent_at    INTEGER NOT NULL,
  delivered  INTEGER NOT NULL,
  read       INTEGER NOT NULL,
  message_id TEXT NOT NULL
);
CREATE INDEX deliveries_pending ON deliveries (page, event_at, seq) WHERE state = 'pending';
CREATE INDEX deliveries_pending_due ON deliveries (page, next_at) WHERE state = 'pending';
CREATE INDEX deliveries_pending_person ON deliveries (page, psid, event_at, seq) WHERE state = 'pending';
CREATE INDEX deliveries_held ON deliveries (page, next_at) WHERE state = 'held' AND next_at > 0;
CREATE INDEX deliveries_held_order ON deliveries (page, event_at, seq) WHERE state = 'held' AND next_at > 0;
CREATE INDEX deliveries_held_person ON deliveries (page, psid) WHERE state = 'held';
CREATE INDEX deliveries_held_reason ON deliveries (page, reason) WHERE state = 'held';
CREATE INDEX deliveries_busy ON deliveries (page, psid) WHERE state IN ('sending', 'settling');
CREATE INDEX deliveries_sending ON deliveries (next_at) WHERE state = 'sending';
CREATE INDEX deliveries_settling ON deliveries (next_at) WHERE state = 'settling';
CREATE INDEX deliveries_unread ON deliveries (page, psid, sent_at) WHERE state = 'sent' AND read = 0;
CREATE INDEX deliveries_tenant ON deliveries (tenant, seq);
CREATE INDEX deliveries_vehicle ON deliveries (tenant, vehicle, seq);
CREATE INDEX deliveries_fence ON deliveries (tenant, fence, seq);
CREATE INDEX deliveries_state ON deliveries (tenant, state, seq);

-- How many deliveries are in each state, kept by triggers: counting millions of rows takes seconds.
CREATE TABLE delivery_counts (
  state TEXT PRIMARY KEY,
  n     INTEGER NOT NULL
) WITHOUT ROWID;
INSERT INTO delivery_counts (state, n) VALUES ('pending', 0), ('sending', 0), ('settling', 0), ('sent', 0), ('held', 0),
  ('failed', 0), ('expired', 0), ('unknown', 0);
-- +goose StatementBegin
CREATE TRIGGER deliveries_count_new AFTER INSERT ON deliveries BEGIN
  UPDATE delivery_counts SET n = n + 1 WHERE state = NEW.state;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER deliveries_count_moved AFTER UPDATE OF state ON deliveries WHEN NEW.state <> OLD.state BEGIN
  UPDATE delivery_counts SET n = n - 1 WHERE state = OLD.state;
  UPDATE delivery_counts SET n = n + 1 WHERE state = NEW.state;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER deliveries_count_gone AFTER DELETE ON deliveries BEGIN
  UPDATE delivery_counts SET n = n - 1 WHERE state = OLD.state;
END;
-- +goose StatementEnd

CREATE TABLE windows (
  page TEXT NOT NULL,
  psid TEXT NOT NULL,
  last INTEGER NOT NULL,
  PRIMARY KEY (page, psid)
) WITHOUT ROWID;

CREATE TABLE webhook_seen (
  key TEXT PRIMARY KEY,
  at  INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX webhook_seen_at ON webhook_seen (at);

-- When the newest message that a page echoed had been claimed.
CREATE TABLE echoes (
  page    TEXT PRIMARY KEY,
  claimed INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE templates (
  page     TEXT NOT NULL,
  name     TEXT NOT NULL,
  language TEXT NOT NULL,
  id       TEXT NOT NULL,
  status   TEXT NOT NULL,
  detail   TEXT NOT NULL,
  checked  INTEGER NOT NULL,
  PRIMARY KEY (page, name, language)
) WITHOUT ROWID;

CREATE TABLE dead_letters (
  seq      INTEGER PRIMARY KEY AUTOINCREMENT,
  tenant   TEXT NOT NULL,
  vehicle  TEXT NOT NULL,
  topic    TEXT NOT NULL,
  reason   TEXT NOT NULL,
  field    TEXT NOT NULL,
  detail   TEXT NOT NULL,
  payload  BLOB NOT NULL,
  size     INTEGER NOT NULL,
  received INTEGER NOT NULL
);
CREATE INDEX dead_letters_tenant ON dead_letters (tenant, seq);
CREATE INDEX dead_letters_vehicle ON dead_letters (tenant, vehicle, seq);
