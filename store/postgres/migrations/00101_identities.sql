-- +goose Up
-- Whether vehicles, owners, pages or texts changed, for processes that hold them in memory.
INSERT INTO counters (name, value) VALUES ('identities', 0);
-- +goose StatementBegin
CREATE FUNCTION identities_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE counters SET value = value + 1 WHERE name = 'identities';
  RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER vehicles_changed AFTER INSERT OR UPDATE OR DELETE ON vehicles FOR EACH STATEMENT EXECUTE FUNCTION identities_changed();
CREATE TRIGGER owners_changed AFTER INSERT OR UPDATE OR DELETE ON owners FOR EACH STATEMENT EXECUTE FUNCTION identities_changed();
CREATE TRIGGER pages_changed AFTER INSERT OR UPDATE OR DELETE ON pages FOR EACH STATEMENT EXECUTE FUNCTION identities_changed();
CREATE TRIGGER texts_changed AFTER INSERT OR UPDATE OR DELETE ON texts FOR EACH STATEMENT EXECUTE FUNCTION identities_changed();
