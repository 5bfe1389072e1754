package postgrestest

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// startLimit is how long a server may take until it answers.
const startLimit = 30 * time.Second

// Server is a PostgreSQL of one test.
type Server struct {
	dir     string
	as      *syscall.Credential // nil: as this process
	schemas atomic.Int32
	pid     int // of the first process of the server
	args    []string
	log     bytes.Buffer // written by the server that runs
	server  *exec.Cmd
}

// Start runs a server until the test ends. It skips the test when PostgreSQL is not installed. Nothing is written
// through to the disk, unless durable: the figures of a benchmark are then those of a real server.
func Start(t testing.TB, durable bool) *Server {
	t.Helper()
	s := &Server{dir: directory(t), as: credential(t)}
	s.Run(t, "initdb", "-D", filepath.Join(s.dir, "data"), "-A", "trust", "-U", "postgres", "-E", "UTF8", "--no-locale", "-N")
	fsync := "off"
	if durable {
		fsync = "on"
	}
	s.args = []string{"-D", filepath.Join(s.dir, "data"), "-k", s.dir, "-c", "listen_addresses=", "-c", "fsync=" + fsync, "-c", "max_connections=200"}
	s.up(t)
	t.Cleanup(func() {
		s.down()
		if t.Failed() {
			t.Logf("postgres said:\n%s", s.log.String())
		}
	})
	s.await(t)
	return s
}

func (s *Server) up(t testing.TB) {
	t.Helper()
	s.server = s.command(t, "postgres", s.args...)
	s.server.Stdout, s.server.Stderr = &s.log, &s.log
	if err := s.server.Start(); err != nil {
		t.Fatalf("postgrestest: start: %v", err)
	}
	s.pid = s.server.Process.Pid
}

// down ends the server at once, as a crash would.
func (s *Server) down() {
	_ = s.server.Process.Signal(syscall.SIGQUIT)
	_ = s.server.Wait()
}

// Crash ends the server at once, does something while there is none, and starts it again.
func (s *Server) Crash(t testing.TB, meanwhile func()) {
	t.Helper()
	s.down()
	meanwhile()
	s.up(t)
	s.await(t)
}

// URL returns the URL of a database's fresh schema: what is made there nobody else sees.
func (s *Server) URL(t testing.TB) string {
	t.Helper()
	schema := "test_" + strconv.Itoa(int(s.schemas.Add(1)))
	s.Run(t, "psql", "-h", s.dir, "-U", "postgres", "-d", "postgres", "-q", "-c", "CREATE SCHEMA "+schema)
	return fmt.Sprintf("postgres:///postgres?host=%s&user=postgres&search_path=%s", s.dir, schema)
}

// Database returns the URL of a fresh database, for what concerns a whole one, such as a dump.
func (s *Server) Database(t testing.TB) string {
	t.Helper()
	name := "test_" + strconv.Itoa(int(s.schemas.Add(1)))
	s.Run(t, "createdb", "-h", s.dir, "-U", "postgres", name)
	return fmt.Sprintf("postgres:///%s?host=%s&user=postgres", name, s.dir)
}

// await waits until the server answers.
func (s *Server) await(t testing.TB) {
	t.Helper()
	limit := time.Now().Add(startLimit)
	for time.Now().Before(limit) {
		if s.command(t, "psql", "-h", s.dir, "-U", "postgres", "-d", "postgres", "-c", "SELECT 1").Run() == nil {
			return
		}
		time.Sleep(20 * time.Millisecond) // there is nothing to wait on but its answer
	}
	t.Fatal("postgrestest: the server does not answer")
}

// Run runs one of PostgreSQL's programs in a directory of the server's.
func (s *Server) Run(t testing.TB, program string, args ...string) {
	t.Helper()
	if out, err := s.command(t, program, args...).CombinedOutput(); err != nil {
		t.Fatalf("postgrestest: %s: %v\n%s", program, err, out)
	}
}

// command runs a program of PostgreSQL, which refuses to run as root.
func (s *Server) command(t testing.TB, program string, args ...string) *exec.Cmd {
	t.Helper()
	c := exec.Command(find(t, program), args...)
	c.Dir = s.dir
	if s.as != nil {
		c.SysProcAttr = &syscall.SysProcAttr{Credential: s.as}
	}
	return c
}

// find looks in the places of Debian's packages and in the path.
func find(t testing.TB, program string) string {
	t.Helper()
	places, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + program)
	if len(places) > 0 {
		return places[len(places)-1]
	}
	path, err := exec.LookPath(program)
	if err != nil {
		t.Skipf("PostgreSQL's %s is not installed: %v", program, err)
	}
	return path
}

// credential is the user that the server runs as when this process is root.
func credential(t testing.TB) *syscall.Credential {
	t.Helper()
	if os.Getuid() != 0 {
		return nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		t.Skipf("PostgreSQL does not run as root, and there is no user for it: %v", err)
	}
	uid, _ := strconv.Atoi(u.Uid)
	gid, _ := strconv.Atoi(u.Gid)
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}

// directory makes a place with a short name, as a socket's path is short, that the server's user can enter.
func directory(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "pg")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if c := credential(t); c != nil {
		if err := os.Chown(dir, int(c.Uid), int(c.Gid)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
