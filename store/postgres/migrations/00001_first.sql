-- +goose Up
-- Ids are compared byte by byte (COLLATE "C"): pages of lists go on after an id in the order of Go's strings, and an
-- update of the system's collations breaks no index.
CREATE TABLE counters (
  name  TEXT COLLATE "C" PRIMARY KEY,
  value BIGINT NOT NULL
);
INSERT INTO counters (name, value) VALUES ('fence_revision', 0), ('lease', 0);

-- Every version of every fence. superseded is the revision of the next version; NULL: current.
CREATE TABLE geofences (
  revision   BIGINT PRIMARY KEY,
  tenant     TEXT COLLATE "C" NOT NULL,
  id         TEXT COLLATE "C" NOT NULL,
  name       TEXT COLLATE "C" NOT NULL,
  feature    BYTEA,
  west DOUBLE PRECISION NOT NULL, south DOUBLE PRECISION NOT NULL, east DOUBLE PRECISION NOT NULL, north DOUBLE PRECISION NOT NULL,
  deleted    BOOLEAN NOT NULL DEFAULT FALSE,
  updated    BIGINT NOT NULL,
  superseded BIGINT
);
CREATE UNIQUE INDEX geofences_current ON geofences (tenant, id) WHERE superseded IS NULL;
CREATE INDEX geofences_superseded ON geofences (superseded) WHERE superseded IS NOT NULL;
CREATE INDEX geofences_deleted ON geofences (revision) WHERE superseded IS NULL AND deleted;

CREATE TABLE vehicles (
  tenant  TEXT COLLATE "C" NOT NULL,
  id      TEXT COLLATE "C" NOT NULL,
  name    TEXT COLLATE "C" NOT NULL,
  owners  TEXT COLLATE "C" NOT NULL,
  tags    TEXT COLLATE "C" NOT NULL,
  device  TEXT COLLATE "C" NOT NULL,
  updated BIGINT NOT NULL,
  PRIMARY KEY (tenant, id)
);

CREATE TABLE owners (
  tenant    TEXT COLLATE "C" NOT NULL,
  id        TEXT COLLATE "C" NOT NULL,
  name      TEXT COLLATE "C" NOT NULL,
  locale    TEXT COLLATE "C" NOT NULL,
  time_zone TEXT COLLATE "C" NOT NULL,
  contacts  TEXT COLLATE "C" NOT NULL,
  fallback  TEXT COLLATE "C" NOT NULL, -- sealed
  updated   BIGINT NOT NULL,
  mutes     TEXT COLLATE "C" NOT NULL DEFAULT 'null', -- what the owner does not want to hear of for a while
  PRIMARY KEY (tenant, id)
);

CREATE TABLE pages (
  id           TEXT COLLATE "C" PRIMARY KEY,
  tenant       TEXT COLLATE "C" NOT NULL,
  name         TEXT COLLATE "C" NOT NULL,
  access_token TEXT COLLATE "C" NOT NULL, -- sealed
  tag          TEXT COLLATE "C" NOT NULL,
  templates    TEXT COLLATE "C" NOT NULL,
  routes       TEXT COLLATE "C" NOT NULL DEFAULT 'null',
  updated      BIGINT NOT NULL,
  -- When Meta blocked the page, why, and how old the newest word on it is.
  blocked      BIGINT NOT NULL DEFAULT 0,
  block_reason TEXT COLLATE "C" NOT NULL DEFAULT '',
  policy_at    BIGINT NOT NULL DEFAULT 0
);

CREATE TABLE last_fixes (
  tenant   TEXT COLLATE "C" NOT NULL,
  vehicle  TEXT COLLATE "C" NOT NULL,
  time     BIGINT NOT NULL,
  received BIGINT NOT NULL,
  lon DOUBLE PRECISION NOT NULL, lat DOUBLE PRECISION NOT NULL,
  accuracy DOUBLE PRECISION, speed DOUBLE PRECISION, heading DOUBLE PRECISION, altitude DOUBLE PRECISION, hdop DOUBLE PRECISION, -- NULL: unknown
  ignition BIGINT NOT NULL,
  PRIMARY KEY (tenant, vehicle)
);

CREATE TABLE lanes (
  partition BIGINT PRIMARY KEY,
  next      BIGINT NOT NULL,
  clock     BIGINT NOT NULL,
  revision  BIGINT NOT NULL,
  epoch     BIGINT NOT NULL
);

-- From position at on, the lane evaluated with the fences of the revision.
CREATE TABLE adoptions (
  partition BIGINT NOT NULL,
  at        BIGINT NOT NULL,
  revision  BIGINT NOT NULL,
  PRIMARY KEY (partition, at)
);

CREATE TABLE memberships (
  tenant    TEXT COLLATE "C" NOT NULL,
  vehicle   TEXT COLLATE "C" NOT NULL,
  fence     TEXT COLLATE "C" NOT NULL,
  partition BIGINT NOT NULL,
  since     BIGINT NOT NULL,
  PRIMARY KEY (tenant, vehicle, fence)
);
CREATE INDEX memberships_partition ON memberships (partition);

CREATE TABLE crossings (
  seq        BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  id         TEXT COLLATE "C" NOT NULL UNIQUE,
  tenant     TEXT COLLATE "C" NOT NULL,
  vehicle    TEXT COLLATE "C" NOT NULL,
  fence      TEXT COLLATE "C" NOT NULL,
  fence_rev  BIGINT NOT NULL,
  fence_name TEXT COLLATE "C" NOT NULL,
  kind       TEXT COLLATE "C" NOT NULL,
  at         BIGINT NOT NULL,
  lon DOUBLE PRECISION NOT NULL, lat DOUBLE PRECISION NOT NULL,
  confidence BIGINT NOT NULL,
  why        TEXT COLLATE "C" NOT NULL,
  late       BOOLEAN NOT NULL,
  received   BIGINT NOT NULL,
  recorded   BIGINT NOT NULL
);
CREATE INDEX crossings_tenant ON crossings (tenant, seq);
CREATE INDEX crossings_vehicle ON crossings (tenant, vehicle, seq);
CREATE INDEX crossings_fence ON crossings (tenant, fence, seq);

-- The outbox, and the record of what became of each message. rank 0 is urgent, 1 is an alert. away: was held until the
-- person wrote. leader: id of the delivery in whose digest it goes out. trace: what was tried, one JSON object a line.
CREATE TABLE deliveries (
  seq        BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  id         TEXT COLLATE "C" NOT NULL UNIQUE,
  tenant     TEXT COLLATE "C" NOT NULL,
  vehicle    TEXT COLLATE "C" NOT NULL,
  fence      TEXT COLLATE "C" NOT NULL,
  page       TEXT COLLATE "C" NOT NULL,
  psid       TEXT COLLATE "C" NOT NULL,
  alert      JSONB NOT NULL,
  event_at   BIGINT NOT NULL,
  state      TEXT COLLATE "C" NOT NULL,
  route      TEXT COLLATE "C" NOT NULL,
  reason     TEXT COLLATE "C" NOT NULL,
  detail     TEXT COLLATE "C" NOT NULL,
  attempts   BIGINT NOT NULL,
  next_at    BIGINT NOT NULL,
  lease      BIGINT NOT NULL,
  created    BIGINT NOT NULL,
  claimed    BIGINT NOT NULL,
  sent_at    BIGINT NOT NULL,
  delivered  BIGINT NOT NULL,
  read       BIGINT NOT NULL,
  message_id TEXT COLLATE "C" NOT NULL,
  rank       BIGINT NOT NULL DEFAULT 1,
  away       BOOLEAN NOT NULL DEFAULT FALSE,
  leader     TEXT COLLATE "C" NOT NULL DEFAULT '',
  trace      TEXT COLLATE "C" NOT NULL DEFAULT ''
);
CREATE INDEX deliveries_pending ON deliveries (page, rank, event_at, seq) WHERE state = 'pending';
CREATE INDEX deliveries_pending_due ON deliveries (page, next_at) WHERE state = 'pending';
CREATE INDEX deliveries_pending_person ON deliveries (page, psid, rank, event_at, seq) WHERE state = 'pending';
CREATE INDEX deliveries_away ON deliveries (page, psid, event_at, seq) WHERE state = 'pending' AND away;
CREATE INDEX deliveries_busy ON deliveries (page, psid, rank) WHERE state IN ('sending', 'settling');
CREATE INDEX deliveries_leader ON deliveries (leader) WHERE leader <> '';
CREATE INDEX deliveries_held ON deliveries (page, next_at) WHERE state = 'held' AND next_at > 0;
CREATE INDEX deliveries_held_order ON deliveries (page, event_at, seq) WHERE state = 'held' AND next_at > 0;
CREATE INDEX deliveries_held_person ON deliveries (page, psid) WHERE state = 'held';
CREATE INDEX deliveries_held_reason ON deliveries (page, reason) WHERE state = 'held';
CREATE INDEX deliveries_unread ON deliveries (page, psid, sent_at) WHERE state = 'sent' AND read = 0;
CREATE INDEX deliveries_tenant ON deliveries (tenant, seq);
CREATE INDEX deliveries_vehicle ON deliveries (tenant, vehicle, seq);
CREATE INDEX deliveries_fence ON deliveries (tenant, fence, seq);
CREATE INDEX deliveries_state ON deliveries (tenant, state, seq);

-- How many deliveries are done with, kept by triggers: counting millions of rows takes seconds. Once a
-- statement and not once a row, since each change of one row in one transaction is slower than the one before.
CREATE TABLE delivery_counts (
  state TEXT COLLATE "C" PRIMARY KEY,
  n     BIGINT NOT NULL
);
INSERT INTO delivery_counts (state, n) VALUES ('sent', 0), ('failed', 0), ('expired', 0), ('unknown', 0);
-- +goose StatementBegin
CREATE FUNCTION count_new_deliveries() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE delivery_counts c SET n = c.n + x.more FROM (
    SELECT state, SUM(one) AS more FROM (SELECT state, 1 AS one FROM new_rows) s
    WHERE state IN ('sent', 'failed', 'expired', 'unknown') GROUP BY state HAVING SUM(one) <> 0) x
  WHERE c.state = x.state;
  RETURN NULL;
END $$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE FUNCTION count_moved_deliveries() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE delivery_counts c SET n = c.n + x.more FROM (
    SELECT state, SUM(one) AS more FROM (SELECT state, 1 AS one FROM new_rows UNION ALL SELECT state, -1 AS one FROM old_rows) s
    WHERE state IN ('sent', 'failed', 'expired', 'unknown') GROUP BY state HAVING SUM(one) <> 0) x
  WHERE c.state = x.state;
  RETURN NULL;
END $$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE FUNCTION count_gone_deliveries() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE delivery_counts c SET n = c.n + x.more FROM (
    SELECT state, SUM(one) AS more FROM (SELECT state, -1 AS one FROM old_rows) s
    WHERE state IN ('sent', 'failed', 'expired', 'unknown') GROUP BY state HAVING SUM(one) <> 0) x
  WHERE c.state = x.state;
  RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER deliveries_count_new AFTER INSERT ON deliveries REFERENCING NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION count_new_deliveries();
CREATE TRIGGER deliveries_count_moved AFTER UPDATE ON deliveries REFERENCING NEW TABLE AS new_rows OLD TABLE AS old_rows
  FOR EACH STATEMENT EXECUTE FUNCTION count_moved_deliveries();
CREATE TRIGGER deliveries_count_gone AFTER DELETE ON deliveries REFERENCING OLD TABLE AS old_rows
  FOR EACH STATEMENT EXECUTE FUNCTION count_gone_deliveries();

CREATE TABLE windows (
  page TEXT COLLATE "C" NOT NULL,
  psid TEXT COLLATE "C" NOT NULL,
  last BIGINT NOT NULL,
  PRIMARY KEY (page, psid)
);

CREATE TABLE webhook_seen (
  key TEXT COLLATE "C" PRIMARY KEY,
  at  BIGINT NOT NULL
);
CREATE INDEX webhook_seen_at ON webhook_seen (at);

-- When the newest message that a page echoed had been claimed.
CREATE TABLE echoes (
  page    TEXT COLLATE "C" PRIMARY KEY,
  claimed BIGINT NOT NULL
);

CREATE TABLE templates (
  page     TEXT COLLATE "C" NOT NULL,
  name     TEXT COLLATE "C" NOT NULL,
  language TEXT COLLATE "C" NOT NULL,
  id       TEXT COLLATE "C" NOT NULL,
  status   TEXT COLLATE "C" NOT NULL,
  detail   TEXT COLLATE "C" NOT NULL,
  params   BIGINT NOT NULL,
  buttons  BIGINT NOT NULL,
  checked  BIGINT NOT NULL,
  PRIMARY KEY (page, name, language)
);

CREATE TABLE dead_letters (
  seq      BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  tenant   TEXT COLLATE "C" NOT NULL,
  vehicle  TEXT COLLATE "C" NOT NULL,
  topic    TEXT COLLATE "C" NOT NULL,
  reason   TEXT COLLATE "C" NOT NULL,
  field    TEXT COLLATE "C" NOT NULL,
  detail   TEXT COLLATE "C" NOT NULL,
  payload  BYTEA NOT NULL,
  size     BIGINT NOT NULL,
  received BIGINT NOT NULL
);
CREATE INDEX dead_letters_tenant ON dead_letters (tenant, seq);
CREATE INDEX dead_letters_vehicle ON dead_letters (tenant, vehicle, seq);
-- One-time codes that link an owner to a person; only their hash is kept.
CREATE TABLE link_codes (
  hash    TEXT COLLATE "C" PRIMARY KEY,
  tenant  TEXT COLLATE "C" NOT NULL,
  owner   TEXT COLLATE "C" NOT NULL,
  page    TEXT COLLATE "C" NOT NULL,
  vehicle TEXT COLLATE "C" NOT NULL,
  asid    TEXT COLLATE "C" NOT NULL,
  created BIGINT NOT NULL,
  expires BIGINT NOT NULL,
  used    BIGINT NOT NULL,
  psid    TEXT COLLATE "C" NOT NULL,
  parent  TEXT COLLATE "C" NOT NULL DEFAULT '' -- the code from which this one was made: using one of a family uses all
);
CREATE INDEX link_codes_expires ON link_codes (expires);
CREATE INDEX link_codes_asid ON link_codes (asid) WHERE asid <> '';

-- Who was linked, and how: what must be deleted when the person behind an app-scoped id asks for it.
CREATE TABLE links (
  tenant TEXT COLLATE "C" NOT NULL,
  owner  TEXT COLLATE "C" NOT NULL,
  page   TEXT COLLATE "C" NOT NULL,
  psid   TEXT COLLATE "C" NOT NULL,
  asid   TEXT COLLATE "C" NOT NULL,
  via    TEXT COLLATE "C" NOT NULL,
  at     BIGINT NOT NULL,
  PRIMARY KEY (tenant, owner, page, psid)
);
CREATE INDEX links_asid ON links (asid) WHERE asid <> '';

CREATE TABLE accounts (
  asid     TEXT COLLATE "C" PRIMARY KEY,
  token    TEXT COLLATE "C" NOT NULL, -- sealed
  alive    BOOLEAN NOT NULL, -- there is a token
  expires  BIGINT NOT NULL,
  pages    TEXT COLLATE "C" NOT NULL,
  login_id TEXT COLLATE "C" NOT NULL,
  updated  BIGINT NOT NULL
);

-- Who agreed, while logging in, to be written to by a page.
CREATE TABLE opt_ins (
  page     TEXT COLLATE "C" NOT NULL,
  login_id TEXT COLLATE "C" NOT NULL,
  at       BIGINT NOT NULL,
  PRIMARY KEY (login_id, page)
);

CREATE TABLE erasures (
  hash       TEXT COLLATE "C" PRIMARY KEY,
  requested  BIGINT NOT NULL,
  done       BIGINT NOT NULL,
  contacts   BIGINT NOT NULL,
  deliveries BIGINT NOT NULL,
  known      BOOLEAN NOT NULL
);

CREATE TABLE page_health (
  page   TEXT COLLATE "C" PRIMARY KEY,
  health TEXT COLLATE "C" NOT NULL
);

-- What people said that nobody has answered yet.
CREATE TABLE said (
  seq     BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  page    TEXT COLLATE "C" NOT NULL,
  psid    TEXT COLLATE "C" NOT NULL,
  kind    TEXT COLLATE "C" NOT NULL,
  mid     TEXT COLLATE "C" NOT NULL,
  body    TEXT COLLATE "C" NOT NULL,
  payload TEXT COLLATE "C" NOT NULL,
  at      BIGINT NOT NULL,
  received BIGINT NOT NULL
);
CREATE INDEX said_person ON said (page, psid);

CREATE INDEX deliveries_unaddressed ON deliveries (tenant, (alert ->> 'owner')) WHERE state = 'held' AND reason = 'no_contact';

CREATE INDEX links_person ON links (page, psid);

CREATE INDEX link_codes_parent ON link_codes (parent) WHERE parent <> '';


CREATE TABLE texts (
  tenant   TEXT COLLATE "C" NOT NULL,
  language TEXT COLLATE "C" NOT NULL,
  texts    TEXT COLLATE "C" NOT NULL,
  updated  BIGINT NOT NULL,
  PRIMARY KEY (tenant, language)
);
