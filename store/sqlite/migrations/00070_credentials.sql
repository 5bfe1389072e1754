-- +goose Up
-- With what trackers sign in at the device endpoint.
CREATE TABLE credentials (
  id      TEXT PRIMARY KEY, -- the user name
  tenant  TEXT NOT NULL,
  vehicle TEXT NOT NULL,
  hash    TEXT NOT NULL, -- of the password
  created INTEGER NOT NULL,
  used    INTEGER NOT NULL -- last sign-in, kept to the hour; 0: never
) STRICT, WITHOUT ROWID;
CREATE INDEX credentials_vehicle ON credentials (tenant, vehicle);
