package app_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// answers is the status of a path that takes no key.
func (r *rig) answers(t *testing.T, path string) int {
	t.Helper()
	res, err := http.Get(r.url(path))
	must(t, err)
	_ = res.Body.Close()
	return res.StatusCode
}

// A page whose token died is one page's trouble: the process is ready for the others.
func TestADeadTokenLeavesTheGatewayReady(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.own(t, "van", "ann", "70001")
	r.circle(t, "yard", 11.5, 48.1)
	_, err := r.sandbox.Say(page, "70001", "hello")
	must(t, err)
	r.call(t, http.MethodPut, "pages/"+page, map[string]any{"name": "Fleet", "access_token": "a-token-that-died"}, http.StatusOK)
	driveThrough(t, r.connect(t, "box"), "fleet/default/van/fix", 11.5, 48.1)
	eventually(t, "the token was refused", func() bool {
		return r.metric(t, `outrider_delivery_reasons_total{reason="token_invalid"}`) > 0
	})
	for _, path := range []string{"/livez", "/readyz"} {
		if got := r.answers(t, path); got != http.StatusOK {
			t.Errorf("%s: %d", path, got)
		}
	}
}

// A journal that cannot append makes the process unready, and alive: what a tracker sends is not acknowledged.
func TestAFullDiskMakesTheGatewayUnready(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	c := r.connect(t, "box")
	publish(t, c, "fleet/default/van/fix", `{"t":1,"lat":48,"lon":11}`)
	if got := r.answers(t, "/readyz"); got != http.StatusOK {
		t.Fatalf("before: %d", got)
	}
	fillDisk(t, filepath.Join(r.flags["data.dir"], "journal"))
	done := c.Publish("fleet/default/van/fix", 1, false, `{"t":2,"lat":48,"lon":11}`)
	eventually(t, "the gateway is not ready", func() bool { return r.answers(t, "/readyz") == http.StatusServiceUnavailable })
	if got := r.answers(t, "/livez"); got != http.StatusOK {
		t.Errorf("alive: %d", got)
	}
	select {
	case <-done.Done():
		if done.Error() == nil && c.IsConnected() {
			t.Error("what is not durable was acknowledged")
		}
	default:
	}
}

// fillDisk lets every write to the journal's newest segment fail as on a full disk: Linux has a device for that.
func fillDisk(t *testing.T, journal string) {
	t.Helper()
	full, err := os.OpenFile("/dev/full", os.O_RDWR, 0)
	if err != nil {
		t.Skipf("no /dev/full: %v", err)
	}
	defer full.Close()
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skipf("no /proc: %v", err)
	}
	replaced := 0
	for _, fd := range fds {
		target, _ := os.Readlink("/proc/self/fd/" + fd.Name())
		if !strings.HasPrefix(target, journal) || !strings.HasSuffix(target, ".seg") {
			continue
		}
		var n int
		_, err := fmt.Sscan(fd.Name(), &n)
		must(t, err)
		must(t, unix.Dup3(int(full.Fd()), n, unix.O_CLOEXEC))
		replaced++
	}
	if replaced == 0 {
		t.Fatal("the journal has no open segment")
	}
}
