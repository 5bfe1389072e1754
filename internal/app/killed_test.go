package app_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"outrider/internal/app"
	"outrider/internal/config"
)

// childVariable makes this program a gateway with the settings in it, for tests that kill one.
const childVariable = "OUTRIDER_TEST_CHILD"

// beGateway says where it listens, and runs until it is killed or its standard input ends.
func beGateway(flags string) error {
	var src config.Source
	if err := json.Unmarshal([]byte(flags), &src.Flags); err != nil {
		return err
	}
	c, err := config.Load(src)
	if err != nil {
		return err
	}
	a, err := app.New(app.Options{Config: c})
	if err != nil {
		return err
	}
	if err := a.Start(context.Background()); err != nil {
		return err
	}
	fmt.Println(a.HTTPAddr())
	_, _ = os.Stdin.Read(make([]byte, 1))
	return nil
}

// child starts a gateway with these roles as a process of its own.
func (r *rig) child(t *testing.T, roles string) (*rig, *os.Process) {
	t.Helper()
	other := &rig{flags: maps.Clone(r.flags)}
	other.flags["data.dir"], other.flags["roles"] = t.TempDir(), roles
	flags, err := json.Marshal(other.flags)
	must(t, err)
	c := exec.Command(os.Args[0])
	c.Env, c.Stderr = append(os.Environ(), childVariable+"="+string(flags)), os.Stderr
	stdin, err := c.StdinPipe() // ends with this process
	must(t, err)
	stdout, err := c.StdoutPipe()
	must(t, err)
	must(t, c.Start())
	t.Cleanup(func() {
		_ = stdin.Close()
		_ = c.Process.Kill()
		_ = c.Wait()
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	must(t, err)
	other.address = strings.TrimSpace(line)
	return other, c.Process
}

// One of the processes that evaluate is killed, another one is stopped for longer than its lease and wakes: every alert is told,
// and none twice.
func TestAKilledAndAStoppedProcessChangeNothing(t *testing.T) {
	t.Parallel()
	const vehicles, parts = 15, 8
	settings := clusterSettings(t, parts)
	settings["roles"] = "ingest,notify,api"
	api := newRig(t, settings)
	for i := range vehicles {
		api.own(t, fmt.Sprint("van", i), fmt.Sprint("owner", i), fmt.Sprint(70000+i))
		_, err := api.sandbox.Say(page, fmt.Sprint(70000+i), "hello")
		must(t, err)
		api.hears(t, fmt.Sprint(70000+i), "")
	}
	greetings := len(api.sandbox.Messages())
	api.circle(t, "yard", 11.5, 48.1)
	first, killed := api.child(t, "engine")
	second, stopped := api.child(t, "engine")
	shares(t, "lane", parts, first, second)
	drive := func(from, to int) {
		t.Helper()
		for i := from; i < to; i++ {
			driveThrough(t, api.connect(t, fmt.Sprint("box", i)), fmt.Sprintf("fleet/default/van%d/fix", i), 11.5, 48.1)
		}
	}
	drive(0, 5)
	must(t, killed.Kill())
	drive(5, 8)
	third, _ := api.child(t, "engine")
	shares(t, "lane", parts, second, third)
	must(t, stopped.Signal(syscall.SIGSTOP))
	drive(8, 12)
	shares(t, "lane", parts, third)
	must(t, stopped.Signal(syscall.SIGCONT))
	drive(12, vehicles)
	shares(t, "lane", parts, second, third)

	told := map[string]int{}
	eventually(t, "everybody is told twice", func() bool {
		clear(told)
		for _, m := range api.sandbox.Messages()[greetings:] {
			told[m.Metadata]++
		}
		return len(told) >= 2*vehicles
	})
	for id, n := range told {
		if n != 1 {
			t.Errorf("alert %s went out %d times", id, n)
		}
	}
	if n := len(api.items(t, "crossings?limit=200")); n != 2*vehicles {
		t.Errorf("%d crossings, want %d", n, 2*vehicles)
	}
	if code := second.answers(t, "/readyz"); code != http.StatusOK {
		t.Errorf("the one that woke says %d to /readyz", code)
	}
}
