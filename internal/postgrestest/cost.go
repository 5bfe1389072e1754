package postgrestest

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// tick is the unit of the times in /proc/PID/stat, which Linux has at 100 a second on every common machine.
const tick = 10 * time.Millisecond

// ProcessorTime is what the server's processes, those of its open connections included, took of the processors so far.
// It skips a benchmark on a system without /proc.
func (s *Server) ProcessorTime(t testing.TB) time.Duration {
	t.Helper()
	children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", s.pid, s.pid))
	if err != nil {
		t.Skipf("postgrestest: the processor time of the server cannot be read here: %v", err)
	}
	total := time.Duration(0)
	for _, pid := range append(strings.Fields(string(children)), strconv.Itoa(s.pid)) {
		total += processorTime(pid)
	}
	return total
}

// processorTime is the time of one process, zero when it has ended.
func processorTime(pid string) time.Duration {
	stat, err := os.ReadFile("/proc/" + pid + "/stat")
	if err != nil {
		return 0
	}
	_, after, _ := strings.Cut(string(stat), ") ") // the name of the program may hold spaces
	fields := strings.Fields(after)
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * tick
}
