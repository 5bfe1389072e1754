package app_test

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"outrider/internal/app"
)

// loadVariable makes this program generate load: "address fixes".
const loadVariable = "OUTRIDER_TEST_LOAD"

func TestMain(m *testing.M) {
	if order := os.Getenv(loadVariable); order != "" {
		if err := generate(order, os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	if order := os.Getenv(paceVariable); order != "" {
		if err := drivePaced(order, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	if flags := os.Getenv(childVariable); flags != "" {
		if err := beGateway(flags); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	if flag.Parse(); flag.Lookup("test.bench").Value.String() != "" {
		app.SpareProcessors() // as the program does
	}
	os.Exit(m.Run())
}

// load is a process that has connected and waits for the word.
type load struct {
	process *exec.Cmd
	word    io.WriteCloser
	answers *bufio.Reader
}

func startLoad(b *testing.B, address string, fixes int) *load {
	b.Helper()
	l := &load{process: exec.CommandContext(b.Context(), os.Args[0])}
	l.process.Env = append(os.Environ(), fmt.Sprintf("%s=%s %d", loadVariable, address, fixes))
	l.process.Stderr = os.Stderr
	out, err := l.process.StdoutPipe()
	if err == nil {
		l.word, err = l.process.StdinPipe()
	}
	if err == nil {
		err = l.process.Start()
	}
	if err != nil {
		b.Fatal(err)
	}
	l.answers = bufio.NewReader(out)
	if _, err := l.answers.ReadString('\n'); err != nil {
		b.Fatalf("the load does not connect: %v", err)
	}
	return l
}

// publish says the word, waits until everything is acknowledged and returns the processor time that the load took.
func (l *load) publish(b *testing.B) time.Duration {
	b.Helper()
	_ = l.word.Close()
	line, err := l.answers.ReadString('\n')
	if err != nil {
		b.Fatalf("the load ends early: %v", err)
	}
	took, err := strconv.ParseInt(strings.TrimSpace(line), 10, 64)
	if err == nil {
		err = l.process.Wait()
	}
	if err != nil {
		b.Fatal(err)
	}
	return time.Duration(took)
}

// generate is the life of the process: it says when it is connected, begins when its input ends, and says the nanoseconds
// of processor time that it took when everything is acknowledged.
func generate(order string, in io.Reader, out io.Writer) error {
	var address string
	var fixes int
	if _, err := fmt.Sscan(order, &address, &fixes); err != nil {
		return err
	}
	each := (fixes + benchConnections - 1) / benchConnections
	began := time.Now().Unix() - int64(each) - 1
	start := make(chan struct{})
	var publishing sync.WaitGroup
	failed := make(chan error, benchConnections)
	for i := 0; i < benchConnections && i*each < fixes; i++ {
		c, err := net.Dial("tcp", address)
		if err != nil {
			return err
		}
		_, _ = c.Write(mqttPacket(0x10, mqttText("MQTT"), []byte{4, 2, 0, 0}, mqttText(fmt.Sprint("bench-", i))))
		if _, err := io.ReadFull(c, make([]byte, 4)); err != nil {
			return err
		}
		publishing.Go(func() {
			defer c.Close()
			<-start
			failed <- publishOne(c, fmt.Sprintf("fleet/default/van-%03d/fix", i), min(each, fixes-i*each), began)
		})
	}
	fmt.Fprintln(out, "connected")
	_, _ = io.Copy(io.Discard, in)
	spent := processorTime()
	close(start)
	publishing.Wait()
	close(failed)
	for err := range failed {
		if err != nil {
			return err
		}
	}
	fmt.Fprintln(out, (processorTime() - spent).Nanoseconds())
	return nil
}

// publishOne publishes n fixes, a second apart from began on, a window at a time.
func publishOne(c net.Conn, topic string, n int, began int64) error {
	answers := bufio.NewReader(c)
	packet := benchPacket(topic)
	var out []byte
	for i := 0; i < n; {
		out = out[:0]
		window := min(benchWindow, n-i)
		for range window {
			packet.set(byte(1+i%250), began+int64(i), benchLatitude(i))
			out = append(out, packet.bytes...)
			i++
		}
		if _, err := c.Write(out); err != nil {
			return err
		}
		if _, err := answers.Discard(4 * window); err != nil {
			return err
		}
	}
	return nil
}

// packetForm is a PUBLISH whose changing parts have a fixed width, so that making the next one costs next to nothing.
type packetForm struct {
	bytes              []byte
	id, time, latitude int // where they stand
}

func benchPacket(topic string) *packetForm {
	payload := `{"t":1700000000.000,"lat":48.0000000,"lon":11.5000000,"acc":5.0,"spd":14.0,"hdg":0.0,"alt":520,"hdop":0.9,"ign":true,"pad":"`
	payload += strings.Repeat("x", benchPayload-2-len(payload)) + `"}`
	p := &packetForm{bytes: mqttPacket(0x32, mqttText(topic), []byte{0, 1}, []byte(payload))}
	begin := len(p.bytes) - len(payload)
	p.id, p.time, p.latitude = begin-1, begin+len(`{"t":`), begin+strings.Index(payload, "48.")
	return p
}

func (p *packetForm) set(id byte, at int64, latitude float64) {
	p.bytes[p.id] = id
	strconv.AppendInt(p.bytes[:p.time], at, 10)
	strconv.AppendFloat(p.bytes[:p.latitude], latitude, 'f', 7, 64)
}
