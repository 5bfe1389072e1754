-- +goose Up
-- With what trackers sign in at the device endpoint.
CREATE TABLE credentials (
  id      TEXT COLLATE "C" PRIMARY KEY, -- the user name
  tenant  TEXT COLLATE "C" NOT NULL,
  vehicle TEXT COLLATE "C" NOT NULL,
  hash    TEXT COLLATE "C" NOT NULL, -- of the password
  created BIGINT NOT NULL,
  used    BIGINT NOT NULL -- last sign-in, kept to the hour; 0: never
);
CREATE INDEX credentials_vehicle ON credentials (tenant, vehicle);
