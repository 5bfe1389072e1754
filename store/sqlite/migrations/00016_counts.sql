-- +goose Up
-- Only what is done with is counted by triggers: the deliveries under way are few, and each moves several times.
DROP TRIGGER deliveries_count_new;
DROP TRIGGER deliveries_count_moved;
DROP TRIGGER deliveries_count_gone;
DELETE FROM delivery_counts WHERE state IN ('pending', 'sending', 'settling', 'held');
-- +goose StatementBegin
CREATE TRIGGER deliveries_count_new AFTER INSERT ON deliveries
WHEN NEW.state IN ('sent', 'failed', 'expired', 'unknown') BEGIN
  UPDATE delivery_counts SET n = n + 1 WHERE state = NEW.state;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER deliveries_count_left AFTER UPDATE OF state ON deliveries
WHEN NEW.state <> OLD.state AND OLD.state IN ('sent', 'failed', 'expired', 'unknown') BEGIN
  UPDATE delivery_counts SET n = n - 1 WHERE state = OLD.state;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER deliveries_count_came AFTER UPDATE OF state ON deliveries
WHEN NEW.state <> OLD.state AND NEW.state IN ('sent', 'failed', 'expired', 'unknown') BEGIN
  UPDATE delivery_counts SET n = n + 1 WHERE state = NEW.state;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER deliveries_count_gone AFTER DELETE ON deliveries
WHEN OLD.state IN ('sent', 'failed', 'expired', 'unknown') BEGIN
  UPDATE delivery_counts SET n = n - 1 WHERE state = OLD.state;
END;
-- +goose StatementEnd

-- What is under way is few: deliveries_busy finds it, and each index less is two changes less for every delivery.
DROP INDEX deliveries_sending;
DROP INDEX deliveries_settling;
