package mosquittotest

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"
)

// startLimit is how long a broker may take until it listens.
const startLimit = 10 * time.Second

// Option changes how a broker runs.
type Option func(*Broker)

// Persistent has the broker keep its sessions over a restart.
func Persistent() Option { return func(b *Broker) { b.persistent = true } }

// Config adds lines to the broker's configuration file.
func Config(lines ...string) Option {
	return func(b *Broker) { b.lines = append(b.lines, lines...) }
}

// Broker is a mosquitto of one test.
type Broker struct {
	t          testing.TB
	path       string // of the program
	dir        string
	port       int
	persistent bool
	lines      []string

	process *exec.Cmd // nil while it is down
	log     logBuffer
}

// Start runs a broker until the test ends and returns its URL, such as tcp://127.0.0.1:41883. It skips the test
// when mosquitto is not installed.
func Start(t testing.TB, options ...Option) string {
	t.Helper()
	return New(t, options...).URL()
}

// New is like [Start] for tests that stop and start the broker themselves.
func New(t testing.TB, options ...Option) *Broker {
	t.Helper()
	b := &Broker{t: t, path: program(t, "mosquitto", "mosquitto"), dir: t.TempDir(), port: FreePort(t)}
	for _, o := range options {
		o(b)
	}
	b.Up()
	t.Cleanup(func() {
		b.Down()
		if t.Failed() {
			t.Logf("mosquitto said:\n%s", b.log.String())
		}
	})
	return b
}

// URL is where the broker listens. It stays the same over restarts.
func (b *Broker) URL() string { return fmt.Sprintf("tcp://127.0.0.1:%d", b.port) }

// Port is the port of the URL.
func (b *Broker) Port() int { return b.port }

// ProcessorTime is what the broker's process has used, of which Linux counts hundredths of a second; 0 elsewhere.
func (b *Broker) ProcessorTime() time.Duration {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", b.process.Process.Pid))
	_, rest, found := bytes.Cut(stat, []byte(") ")) // behind the name
	fields := bytes.Fields(rest)
	if err != nil || !found || len(fields) < 13 {
		return 0
	}
	ticks := 0
	for _, f := range fields[11:13] { // utime and stime
		n, _ := strconv.Atoi(string(f))
		ticks += n
	}
	return time.Duration(ticks) * time.Second / 100
}

// Up starts the broker if it is down, and waits until it listens.
func (b *Broker) Up() {
	b.t.Helper()
	if b.process != nil {
		return
	}
	config := filepath.Join(b.dir, "mosquitto.conf")
	if err := os.WriteFile(config, b.config(), 0o600); err != nil {
		b.t.Fatal(err)
	}
	b.process = exec.Command(b.path, "-c", config)
	b.process.Stdout, b.process.Stderr = &b.log, &b.log
	if err := b.process.Start(); err != nil {
		b.t.Fatalf("mosquittotest: start: %v", err)
	}
	b.awaitListening()
}

func (b *Broker) config() []byte {
	var c bytes.Buffer
	fmt.Fprintf(&c, "listener %d 127.0.0.1\nallow_anonymous true\n", b.port)
	if b.persistent {
		fmt.Fprintf(&c, "persistence true\npersistence_location %s/\nautosave_interval 1\nautosave_on_changes true\n", b.dir)
	}
	if os.Getuid() == 0 {
		fmt.Fprintln(&c, "user root") // or mosquitto becomes a user that may not write to the test's directory
	}
	for _, line := range b.lines {
		fmt.Fprintln(&c, line)
	}
	return c.Bytes()
}

func (b *Broker) awaitListening() {
	b.t.Helper()
	for until := time.Now().Add(startLimit); time.Now().Before(until); {
		c, err := net.DialTimeout("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(b.port)), time.Second)
		if err == nil {
			_ = c.Close()
			return
		}
		time.Sleep(10 * time.Millisecond) // between two looks at a condition
	}
	b.t.Fatalf("mosquittotest: the broker does not listen on port %d:\n%s", b.port, b.log.String())
}

// stopLimit is how long a broker may take to stop.
const stopLimit = 20 * time.Second

// Down stops the broker in an orderly way: a persistent one saves its sessions.
func (b *Broker) Down() { b.end(syscall.SIGTERM) }

// Kill ends the broker at once: what it has not saved is lost.
func (b *Broker) Kill() { b.end(syscall.SIGKILL) }

func (b *Broker) end(s syscall.Signal) {
	if b.process == nil {
		return
	}
	_ = b.process.Process.Signal(s)
	// One that is told to stop while it starts may miss it.
	process := b.process.Process
	last := time.AfterFunc(stopLimit, func() { _ = process.Kill() })
	_ = b.process.Wait() // its exit status is the signal's
	last.Stop()
	b.process = nil
}

// program finds an installed program or skips the test.
func program(t testing.TB, name, debianPackage string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err == nil {
		return path
	}
	if path = "/usr/sbin/" + name; isFile(path) { // not in every user's PATH
		return path
	}
	t.Skipf("%s is not installed: apt-get install %s", name, debianPackage)
	return ""
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// FreePort returns a port of 127.0.0.1 that was free a moment ago.
func FreePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// logBuffer takes what a process says while others read it.
type logBuffer struct {
	mu sync.Mutex // guards b
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
