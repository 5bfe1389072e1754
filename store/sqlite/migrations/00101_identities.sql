-- +goose Up
-- Whether vehicles, owners, pages or texts changed, for processes that hold them in memory.
INSERT INTO counters (name, value) VALUES ('identities', 0);
-- +goose StatementBegin
CREATE TRIGGER vehicles_insert AFTER INSERT ON vehicles BEGIN
  UPDATE counters SET value = value + 1 WHERE name = 'identities';
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER vehicles_update AFTER UPDATE ON vehicles BEGIN
  UPDATE counters SET value = value + 1 WHERE name = 'identities';
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER vehicles_delete AFTER DELETE ON vehicles BEGIN
  UPDATE counters SET value = value + 1 WHERE name = 'identities';
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER owners_insert AFTER INSERT ON owners BEGIN
  UPDATE counters SET value = value + 1 WHERE name = 'identities';
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER owners_update AFTER UPDATE ON owners BEGIN
  UPDATE counters SET value = value + 1 WHERE name = 'identities';
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER owners_delete AFTER DELETE ON owners BEGIN
  UPDATE counters SET value = value + 1 WHERE name = 'identities';
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER pages_insert AFTER INSERT ON pages BEGIN
  UPDATE counters SET value = value + 1 WHERE name = 'identities';
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER pages_update AFTER UPDATE ON pages BEGIN
  UPDATE counters SET value = value + 1 WHERE name = 'identities';
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER pages_delete AFTER DELETE ON pages BEGIN
  UPDATE counters SET value = value + 1 WHERE name = 'identities';
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER texts_insert AFTER INSERT ON texts BEGIN
  UPDATE counters SET value = value + 1 WHERE name = 'identities';
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER texts_update AFTER UPDATE ON texts BEGIN
  UPDATE counters SET value = value + 1 WHERE name = 'identities';
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER texts_delete AFTER DELETE ON texts BEGIN
  UPDATE counters SET value = value + 1 WHERE name = 'identities';
END;
-- +goose StatementEnd
