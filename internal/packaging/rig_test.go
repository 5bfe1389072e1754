package packaging_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// root is the top of the repository.
const root = "../.."

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(root, path))
	must(t, err)
	return string(b)
}

// scratch are directories that all tests share, removed at the end.
var scratch struct {
	sync.Mutex // guards dirs
	dirs       []string
}

func scratchDir() (string, error) {
	dir, err := os.MkdirTemp("", "outrider-packaging-")
	scratch.Lock()
	defer scratch.Unlock()
	scratch.dirs = append(scratch.dirs, dir)
	return dir, err
}

// gateway is the program, built once for all tests.
var gateway = sync.OnceValues(func() (string, error) {
	dir, err := scratchDir()
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "gateway")
	cmd := exec.Command("go", "build", "-o", path, "./cmd/gateway")
	cmd.Dir = root
	cmd.Stderr = os.Stderr
	return path, cmd.Run()
})

func TestMain(m *testing.M) {
	code := m.Run()
	for _, made := range scratch.dirs {
		_ = os.RemoveAll(made)
	}
	os.Exit(code)
}

// process is a gateway that runs.
type process struct {
	cmd *exec.Cmd
	log *lines
}

// started is what it logs when it has begun.
type started struct {
	Msg, HTTP, MQTT string
}

// run starts the gateway and returns once it has started, or fails.
func run(t *testing.T, env []string, args ...string) started {
	t.Helper()
	path, err := gateway()
	must(t, err)
	p := process{cmd: exec.CommandContext(t.Context(), path, args...), log: &lines{}}
	p.cmd.Cancel = func() error { return p.cmd.Process.Signal(syscall.SIGTERM) }
	p.cmd.WaitDelay = 10 * time.Second
	p.cmd.Env, p.cmd.Stderr = append(env, "PATH="+os.Getenv("PATH")), p.log
	must(t, p.cmd.Start())
	ended := make(chan error, 1)
	go func() { ended <- p.cmd.Wait() }()
	t.Cleanup(func() {
		_ = p.cmd.Process.Signal(syscall.SIGTERM)
		<-ended
	})
	deadline, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for {
		if s, ok := p.log.started(); ok {
			return s
		}
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("the gateway ended: %v\n%s", err, p.log)
		case <-deadline.Done():
			t.Fatalf("the gateway does not start:\n%s", p.log)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// lines are what a process has logged.
type lines struct {
	mu  sync.Mutex // guards buf
	buf bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func (l *lines) started() (s started, ok bool) {
	for line := range strings.Lines(l.String()) {
		if json.Unmarshal([]byte(line), &s) == nil && s.Msg == "started" {
			return s, true
		}
	}
	return s, false
}

func status(t *testing.T, url string) int {
	t.Helper()
	res, err := http.Get(url)
	must(t, err)
	must(t, res.Body.Close())
	return res.StatusCode
}
