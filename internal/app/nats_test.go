package app_test

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"outrider/internal/app"
	"outrider/internal/backup"
	"outrider/internal/config"
	"outrider/internal/natstest"
	"outrider/journal"
)

// TestAJournalInNATS sends a drive while the journal's server is stopped and started, and the gateway is, too: two crossings, two
// messages.
func TestAJournalInNATS(t *testing.T) {
	t.Parallel()
	n := natstest.Start(t, nil)
	r := newRig(t, map[string]string{"nats.url": n.URL()})
	r.own(t, "van", "ann", "70001")
	r.circle(t, "yard", 11.5, 48.1)
	if got := r.answers(t, "/readyz"); got != http.StatusOK {
		t.Errorf("at first: %d", got)
	}

	begin := time.Now().Add(-2 * time.Minute)
	send := func(from, to int) {
		c := r.connect(t, fmt.Sprint("box-", from))
		for i := from; i < to; i++ {
			publish(t, c, "fleet/default/van/fix", fmt.Sprintf(`{"t":%d,"lat":%.7f,"lon":11.5,"spd":10,"hdg":0}`, begin.Unix()+int64(i), 48.1+float64(10*i-300)/111_195))
		}
		c.Disconnect(250)
	}
	send(0, 15)
	n.Down()
	eventually(t, "the gateway is not ready", func() bool { return r.answers(t, "/readyz") == http.StatusServiceUnavailable })
	sent := make(chan struct{})
	go func() { defer close(sent); send(15, 30) }() // enters at 20
	n.Up()
	<-sent
	eventually(t, "the gateway is ready again", func() bool { return r.answers(t, "/readyz") == http.StatusOK })
	r.stop(t)
	r.start(t)
	send(30, 60) // leaves at 40
	eventually(t, "both alerts have arrived", func() bool { return len(r.sandbox.Messages()) >= 2 })
	eventually(t, "everything is evaluated", func() bool {
		return r.metric(t, `outrider_fixes_total{verdict="admitted"}`)+r.metric(t, `outrider_fixes_total{verdict="late"}`) >= 30
	})
	if got := r.sandbox.Messages(); len(got) != 2 || !strings.Contains(got[0].Text, "entered") || !strings.Contains(got[1].Text, "left") {
		t.Errorf("got %+v, want that the van entered, and that it left", got)
	}
	if got := len(r.items(t, "crossings?vehicle=van")); got != 2 {
		t.Errorf("%d crossings, want 2", got)
	}
}

// TestAnotherJournalIsRefused changes from files to NATS, and to servers that have lost everything: each is refused with what to
// do, and goes on when somebody has said so.
func TestAnotherJournalIsRefused(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.own(t, "van", "ann", "70001")
	r.circle(t, "yard", 11.5, 48.1)
	driveThrough(t, r.connect(t, "box"), "fleet/default/van/fix", 11.5, 48.1)
	eventually(t, "two messages", func() bool { return len(r.sandbox.Messages()) == 2 })
	r.stop(t)

	n := natstest.Start(t, nil)
	r.flags["nats.url"] = n.URL()
	r.refused(t, "journal in files", "gateway journal accept")
	r.accept(t)
	r.start(t)
	driveThrough(t, r.connect(t, "box"), "fleet/default/van/fix", 11.5, 48.1)
	eventually(t, "two more", func() bool { return len(r.sandbox.Messages()) == 4 })
	r.stop(t)

	r.flags["nats.url"] = ""
	r.refused(t, "nats.url is empty", "gateway journal accept")
	other := natstest.Start(t, nil)
	r.flags["nats.url"] = other.URL()
	r.refused(t, journal.ErrLost.Error(), "outrider-journal-0", "is gone", "gateway journal accept")
	r.accept(t)
	r.start(t)
	driveThrough(t, r.connect(t, "box"), "fleet/default/van/fix", 11.5, 48.1)
	eventually(t, "and two more", func() bool { return len(r.sandbox.Messages()) == 6 })
}

func (r *rig) config(t *testing.T) config.Config {
	t.Helper()
	c, err := config.Load(config.Source{Flags: r.flags})
	must(t, err)
	return c
}

// refused says that the gateway does not start with its settings, and why.
func (r *rig) refused(t *testing.T, words ...string) {
	t.Helper()
	a, err := app.New(app.Options{Config: r.config(t)})
	must(t, err)
	if err = a.Start(t.Context()); err == nil {
		must(t, a.Stop(t.Context()))
		t.Fatal("the gateway started")
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("%v: want %q in it", err, w)
		}
	}
}

func (r *rig) accept(t *testing.T) {
	t.Helper()
	all, err := app.AcceptJournal(t.Context(), r.config(t), false)
	must(t, err)
	if len(all) != 4 {
		t.Errorf("accepted %+v, want 4 partitions", all)
	}
}

// TestCheckReachesNATS: what check says of nats.url, without a password in it.
func TestCheckReachesNATS(t *testing.T) {
	t.Parallel()
	n := natstest.Start(t, nil)
	r := newRig(t, map[string]string{"nats.url": n.URL()})
	settings := maps.Clone(r.flags)
	if f := findings(t, settings)["nats.url"]; f.Err != nil || !strings.Contains(f.Detail, "4 streams") {
		t.Errorf("beside a gateway: %+v", f)
	}
	settings["nats.replicas"] = "3"
	if f := findings(t, settings)["nats.url"]; f.Err == nil || !strings.Contains(f.Err.Error(), "nats.replicas") {
		t.Errorf("with other replicas: %+v", f)
	}
	settings["nats.replicas"], settings["nats.url"] = "0", "nats://gateway:hunter22@127.0.0.1:1"
	if f := findings(t, settings)["nats.url"]; f.Err == nil || strings.Contains(f.Err.Error(), "hunter22") {
		t.Errorf("without a server: %+v", f)
	}
}

// TestTheSecretsOfNATS looks for the password of nats.url in everything that a gateway says, and what a backup is of it.
func TestTheSecretsOfNATS(t *testing.T) {
	t.Parallel()
	const password = "password-at-NATS"
	n := natstest.Start(t, natstest.WithUser("gateway", password, // what docs/operations.md says
		[]string{"outrider.journal.*", "$O.outrider-snapshots.>", "$JS.API.>", "$JS.FC.>"}, []string{"_INBOX.>"}))
	r := newRig(t, map[string]string{"nats.url": strings.Replace(n.URL(), "nats://", "nats://gateway:"+password+"@", 1)})
	publish(t, r.connect(t, "box"), "fleet/default/van/fix", `{"t":1,"lat":48,"lon":11}`)
	eventually(t, "a snapshot is saved", func() bool { return r.metric(t, `outrider_lane_snapshots_total{result="saved"}`) > 0 })
	r.stop(t)
	r.start(t)
	n.Down() // the log tells of it
	eventually(t, "the gateway is not ready", func() bool { return r.answers(t, "/readyz") == http.StatusServiceUnavailable })
	n.Up()
	eventually(t, "the gateway is ready again", func() bool { return r.answers(t, "/readyz") == http.StatusOK })
	r.flags["http.listen"] = r.app.HTTPAddr().String()
	r.app.Logger().Info("a careless line", "url", r.flags["nats.url"], "password", password)
	dir := t.TempDir()
	var file bytes.Buffer
	must(t, app.Support(t.Context(), r.config(t), "test", &file))
	m, err := backup.Extract(&file, dir)
	must(t, err)
	for _, f := range m.Files {
		text, err := os.ReadFile(filepath.Join(dir, f.Name))
		must(t, err)
		if strings.Contains(string(text), password) {
			t.Errorf("%s: the password is in it", f.Name)
		}
		if f.Name == "log.txt" && !strings.Contains(string(text), "connected to NATS again") || f.Name == "doctor.txt" && !strings.Contains(string(text), "4 streams") {
			t.Errorf("%s: %s", f.Name, text)
		}
	}
	said := strings.Replace(r.log.String(), "a careless line", "", 1)
	if strings.Contains(said, "ermissions") || strings.Contains(said, "snapshot not used") {
		t.Errorf("the user may not do what it must: %s", said)
	}
	if lines := strings.Count(said, password); lines != 2 { // both of the careless line
		t.Errorf("the password is in the log %d times, want 2", lines)
	}

	m, err = app.Backup(t.Context(), app.BackupOptions{Config: r.config(t)}, filepath.Join(dir, "backup"))
	must(t, err)
	if len(m.Files) != 1 || m.Files[0].Name != "outrider.db" {
		t.Errorf("the backup holds %+v, want the store alone", m.Files)
	}
}

// The gateway signs in at NATS servers with the certificate that the settings name, and trusts nobody but their authority.
func TestCertificateForNATS(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	writeAuthority(t, dir, "", "")
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	n := natstest.Start(t, natstest.WithTLS(t, cert, cert, key))
	url := strings.Replace(n.URL(), "nats://", "tls://", 1)
	r := newRig(t, map[string]string{"nats.url": url, "nats.url_ca": cert, "nats.url_cert": cert, "nats.url_key": key})
	publish(t, r.connect(t, "box"), "fleet/default/van/fix", `{"t":1,"lat":48,"lon":11}`)
	for without, words := range map[string]string{"nats.url_ca": "certificate signed by unknown authority", "nats.url_cert": "nats.url_cert and nats.url_key go together"} {
		settings := maps.Clone(r.flags)
		delete(settings, without)
		if f := findings(t, settings)["nats.url"]; f.Err == nil || !strings.Contains(f.Err.Error(), words) {
			t.Errorf("without %s: %+v, want %q", without, f, words)
		}
	}
}

// A gateway that is told to end while the servers of its journal are away ends in time; what it could not keep is not acknowledged,
// and comes again.
func TestStoppingWithoutNATS(t *testing.T) {
	t.Parallel()
	n := natstest.Start(t, nil)
	r := newRig(t, map[string]string{"nats.url": n.URL()})
	fix := fmt.Sprintf(`{"t":%d,"lat":48,"lon":11}`, time.Now().Unix())
	publish(t, r.connect(t, "box"), "fleet/default/bus/fix", fix)
	eventually(t, "the first is evaluated", func() bool { return r.metric(t, `outrider_fixes_total{verdict="admitted"}`) == 1 })
	n.Down()
	c := r.connect(t, "other")
	waits := c.Publish("fleet/default/van/fix", 1, false, fix)
	eventually(t, "the batch is tried", func() bool { return r.metric(t, "outrider_journal_retries_total") > 0 })
	r.stop(t) // fails after ten seconds
	if waits.WaitTimeout(0) && waits.Error() == nil {
		t.Error("what is not durable was acknowledged")
	}
	n.Up()
	r.start(t)
	publish(t, r.connect(t, "box"), "fleet/default/van/fix", fix)
	eventually(t, "the fix is in", func() bool { return r.metric(t, `outrider_fixes_total{verdict="admitted"}`) == 1 })
}
