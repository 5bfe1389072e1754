package app

import (
	"fmt"
	"log/slog"

	"outrider/internal/config"
)

// Reload takes over what may change while the gateway runs: the settings that the table marks, and the file of mappings.
// It returns the settings that changed and wait for the next start. After an error all is as before. It may be called from
// one goroutine at a time.
func (a *App) Reload(c config.Config) (waiting []string, err error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.Log.Level)); err != nil {
		return nil, fmt.Errorf("app: log.level: %w", err)
	}
	inner, err := readDecoder(c.MQTT)
	if err != nil {
		return nil, err
	}
	a.decoder.Replace(inner)
	if a.o.Level != nil {
		a.o.Level.Set(level)
	}
	a.retention.Store(int64(c.Store.Retention))
	select {
	case a.pruneNow <- struct{}{}:
	default:
	}
	reloaded := map[string]bool{}
	for _, s := range config.Settings() {
		reloaded[s.Name] = s.Reload
	}
	for _, name := range c.Changed(a.o.Config) {
		if !reloaded[name] {
			waiting = append(waiting, name)
		}
	}
	return waiting, nil
}
