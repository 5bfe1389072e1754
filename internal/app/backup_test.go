package app_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"outrider/internal/app"
	"outrider/internal/config"
	"outrider/internal/postgrestest"
)

// A running gateway is backed up while vehicles drive. Restored on another machine it knows all that was durable, can open the
// page's token, tells nothing twice, and goes on.
func TestARunningGatewayIsBackedUpAndRestored(t *testing.T) {
	t.Parallel()
	r := newRig(t, map[string]string{"engine.snapshot": "20ms"})
	r.own(t, "van", "ann", "70001")
	r.own(t, "car", "ann", "70001")
	r.circle(t, "yard", 11.5, 48.1)
	_, err := r.sandbox.Say(page, "70001", "hello")
	must(t, err)
	driveThrough(t, r.connect(t, "box"), "fleet/default/van/fix", 11.5, 48.1)
	sent := func() int { return len(r.items(t, "deliveries?state=sent")) }
	eventually(t, "two alerts were sent", func() bool { return sent() == 2 })
	before := r.items(t, "crossings")

	stopped, ended := make(chan struct{}), make(chan struct{})
	busy := r.connect(t, "busy")
	go func() { // others, who keep store and journal moving
		defer close(ended)
		for i := 0; ; i++ {
			select {
			case <-stopped:
				return
			default:
				busy.Publish(fmt.Sprintf("fleet/default/other-%d/fix", i%7), 1, false,
					fmt.Sprintf(`{"t":%.3f,"lat":50,"lon":8}`, float64(time.Now().UnixMilli())/1000)).WaitTimeout(time.Second)
			}
		}
	}()
	c, err := config.Load(config.Source{Flags: r.flags})
	must(t, err)
	var files []string
	for i := range 2 {
		files = append(files, filepath.Join(t.TempDir(), fmt.Sprint(i)))
		_, err := app.Backup(t.Context(), app.BackupOptions{Config: c, Keys: true}, files[i])
		must(t, err)
	}
	close(stopped)
	<-ended
	busy.Disconnect(0)
	r.stop(t)

	for i, file := range files {
		c.Data.Dir = filepath.Join(t.TempDir(), "new")
		_, err := app.Restore(c, file)
		must(t, err)
		r.flags["data.dir"] = c.Data.Dir
		r.start(t)
		if after := r.items(t, "crossings"); len(after) != 2 || after[0]["id"] != before[0]["id"] {
			t.Errorf("backup %d: crossings %v, want %v", i, after, before)
		}
		if lost := r.metric(t, "outrider_lane_journal_lost_total"); lost != 0 {
			t.Errorf("backup %d: its journal ends before its store", i)
		}
		if n := sent(); n != 2 {
			t.Errorf("backup %d: %d alerts", i, n)
		}
		if i+1 < len(files) {
			r.stop(t)
		}
	}
	driveThrough(t, r.connect(t, "box"), "fleet/default/car/fix", 11.5, 48.1)
	eventually(t, "it goes on, with the page's token", func() bool { return sent() == 4 })
}

// The same for a store in PostgreSQL, by its own programs: the dump comes first, so that the journal holds all that the
// database has evaluated.
func TestAGatewayOnPostgreSQLIsDumpedAndRestored(t *testing.T) {
	t.Parallel()
	server := postgrestest.Start(t, false)
	r := newRig(t, map[string]string{"store.url": server.Database(t)})
	r.own(t, "van", "ann", "70001")
	r.own(t, "car", "ann", "70001")
	r.circle(t, "yard", 11.5, 48.1)
	_, err := r.sandbox.Say(page, "70001", "hello")
	must(t, err)
	driveThrough(t, r.connect(t, "box"), "fleet/default/van/fix", 11.5, 48.1)
	sent := func() int { return len(r.items(t, "deliveries?state=sent")) }
	eventually(t, "two alerts were sent", func() bool { return sent() == 2 })
	before := r.items(t, "crossings")
	server.Run(t, "pg_dump", "--format=custom", "--file=outrider.pgdump", r.flags["store.url"])
	c, err := config.Load(config.Source{Flags: r.flags})
	must(t, err)
	file := filepath.Join(t.TempDir(), "backup")
	_, err = app.Backup(t.Context(), app.BackupOptions{Config: c, Keys: true}, file)
	must(t, err)
	r.stop(t)

	r.flags["store.url"], r.flags["data.dir"] = server.Database(t), filepath.Join(t.TempDir(), "new")
	server.Run(t, "pg_restore", "--no-owner", "--exit-on-error", "--single-transaction", "--dbname="+r.flags["store.url"], "outrider.pgdump")
	c, err = config.Load(config.Source{Flags: r.flags})
	must(t, err)
	_, err = app.Restore(c, file)
	must(t, err)
	r.start(t)
	if after := r.items(t, "crossings"); len(after) != 2 || after[0]["id"] != before[0]["id"] {
		t.Errorf("crossings %v, want %v", after, before)
	}
	if lost := r.metric(t, "outrider_lane_journal_lost_total"); lost != 0 {
		t.Error("the journal ends before the store")
	}
	driveThrough(t, r.connect(t, "box"), "fleet/default/car/fix", 11.5, 48.1)
	eventually(t, "it goes on, with the page's token", func() bool { return sent() == 4 })
}

// A backup without keys holds none, and a restore takes an empty directory only, and leaves it so when the backup is spoilt.
func TestWhatIsBackedUpAndWhereItGoes(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	must(t, os.WriteFile(filepath.Join(r.flags["data.dir"], "admin.key"), []byte(key), 0o600)) // as a start without the setting
	c, err := config.Load(config.Source{Flags: r.flags})
	must(t, err)
	settings := filepath.Join(t.TempDir(), "gateway.yaml")
	must(t, os.WriteFile(settings, []byte("log.level: info\n"), 0o600))
	for keys, want := range map[bool][]string{
		true: {"admin.key", "journal", "outrider.db", "secret.key", "settings.yaml"}, false: {"journal", "outrider.db"},
	} {
		file := filepath.Join(t.TempDir(), "backup")
		_, err := app.Backup(t.Context(), app.BackupOptions{Config: c, Keys: keys, File: settings}, file)
		must(t, err)
		info, err := os.Stat(file)
		must(t, err)
		if info.Mode().Perm() != 0o600 {
			t.Errorf("others may read the backup: %v", info.Mode())
		}
		c := c
		c.Data.Dir = t.TempDir()
		_, err = app.Restore(c, file)
		must(t, err)
		if got := names(t, c.Data.Dir); !slices.Equal(got, want) {
			t.Errorf("keys %t: restored %v, want %v", keys, got, want)
		}
		if _, err := app.Restore(c, file); err == nil {
			t.Error("it is restored over what is there")
		}
		must(t, os.Truncate(file, info.Size()-20))
		c.Data.Dir = t.TempDir()
		if _, err := app.Restore(c, file); err == nil || len(names(t, c.Data.Dir)) > 0 {
			t.Errorf("a spoilt one: %v, leaves %v", err, names(t, c.Data.Dir))
		}
		if _, err := app.Backup(t.Context(), app.BackupOptions{Config: c}, file); err == nil {
			t.Error("a file that exists is written over")
		}
	}
}

func names(t *testing.T, dir string) []string {
	t.Helper()
	var all []string
	files, err := os.ReadDir(dir)
	must(t, err)
	for _, f := range files {
		all = append(all, f.Name())
	}
	return all
}
