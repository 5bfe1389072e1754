package app_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"outrider/internal/app"
	"outrider/internal/config"
	"outrider/internal/mosquittotest"
)

// How intake is measured: payloads of 200 bytes with QoS 1 from so many connections, each with so many unacknowledged.
const (
	benchConnections = 500
	benchWindow      = 20
	benchPayload     = 200
)

// BenchmarkIntake compares, in one run: "bare", a loop that reads PUBLISH packets and acknowledges each segment at once,
// which is the limit of any server; "endpoint", the whole gateway, from the device endpoint to fixes that are durable and
// acknowledged, with engine and store at 1 % crossings, until the last fix is evaluated; "mosquitto", which forwards to one
// subscriber that does nothing; and "broker", the whole gateway behind mosquitto. The load comes from a process of its own,
// which shares the machine: load-µs/fix is its processor time, cpu-µs/fix that of everything else, mosquitto included.
//
//	go test ./internal/app -run '^$' -bench Intake -benchtime 200000x
func BenchmarkIntake(b *testing.B) {
	b.Run("bare", benchBare)
	b.Run("endpoint", benchEndpoint)
	b.Run("mosquitto", benchMosquitto)
	b.Run("broker", benchBroker)
}

func benchBare(b *testing.B) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	go acknowledgeAll(l)
	publishAll(b, l.Addr().String(), func() {}, none)
}

func benchEndpoint(b *testing.B) {
	a := benchGateway(b, map[string]string{"mqtt.listen": "127.0.0.1:0"})
	publishAll(b, a.MQTTAddr().String(), func() { awaitFixes(b, a) }, none)
}

func benchMosquitto(b *testing.B) {
	broker := mosquittotest.New(b, mosquittotest.Config("max_inflight_messages 1000", "max_queued_messages 0"))
	c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", broker.Port()))
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	got := subscribeAndForget(b, c)
	publishAll(b, c.RemoteAddr().String(), func() { await(b, func() bool { return got.Load() >= int64(b.N) }) }, broker.ProcessorTime)
}

func benchBroker(b *testing.B) {
	broker := mosquittotest.New(b, mosquittotest.Config("max_inflight_messages 1000", "max_queued_messages 0"))
	a := benchGateway(b, map[string]string{"mqtt.listen": "", "mqtt.url": broker.URL()})
	await(b, func() bool { return benchMetric(b, a, "outrider_mqtt_connected") == 1 })
	publishAll(b, strings.TrimPrefix(broker.URL(), "tcp://"), func() { awaitFixes(b, a) }, broker.ProcessorTime)
}

// benchGateway is a gateway with a fence every 2,800 m along the way that all vehicles drive.
func benchGateway(b *testing.B, settings map[string]string) *app.App {
	b.Helper()
	settings["data.dir"], settings["http.listen"], settings["admin.key"] = b.TempDir(), "127.0.0.1:0", key
	c, err := config.Load(config.Source{Flags: settings})
	if err != nil {
		b.Fatal(err)
	}
	a, err := app.New(app.Options{Config: c})
	if err != nil {
		b.Fatal(err)
	}
	if err := a.Start(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := a.Stop(context.Background()); err != nil {
			b.Error(err)
		}
	})
	for i := range 200 {
		benchPut(b, a, fmt.Sprint("geofences/f", i), fmt.Sprintf(
			`{"type":"Feature","properties":{"shape":"circle","radius_m":100},"geometry":{"type":"Point","coordinates":[11.5,%.7f]}}`, benchLatitude(200*i+100)))
	}
	return a
}

// benchLatitude is where a vehicle is after so many seconds at 14 m/s due north: two crossings in 200 fixes.
func benchLatitude(second int) float64 { return 48 + float64(second)*14/111_195 }

// awaitFixes waits until the engine has seen every fix, and checks the share of crossings of a long run.
func awaitFixes(b *testing.B, a *app.App) {
	b.Helper()
	await(b, func() bool { return benchMetric(b, a, "outrider_fixes_total") >= float64(b.N) })
	if n := benchMetric(b, a, "outrider_crossings_total"); b.N >= 200*benchConnections && (n < float64(b.N)/150 || n > float64(b.N)/66) {
		b.Errorf("%v crossings of %d fixes", n, b.N)
	}
}

// benchMetric sums a metric over its labels.
func benchMetric(b *testing.B, a *app.App, name string) float64 {
	b.Helper()
	families, err := a.Registry().Gather()
	if err != nil {
		b.Fatal(err)
	}
	sum := 0.0
	for _, f := range families {
		for _, m := range f.Metric {
			if f.GetName() == name {
				sum += m.GetCounter().GetValue() + m.GetGauge().GetValue()
			}
		}
	}
	return sum
}

func await(b *testing.B, ok func() bool) {
	b.Helper()
	for deadline := time.Now().Add(2 * time.Minute); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			b.Fatal("not everything came")
		}
	}
}

// publishAll has another process publish b.N fixes, waits for all acknowledgements and then for done. others is processor
// time that other processes use beside this one. What the load itself takes is told apart.
func publishAll(b *testing.B, address string, done func(), others func() time.Duration) {
	b.Helper()
	l := startLoad(b, address, b.N)
	spent, beside := processorTime(), others()
	b.ResetTimer()
	load := l.publish(b)
	acknowledged := b.Elapsed()
	done()
	b.StopTimer()
	each := func(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e3 / float64(b.N) }
	b.ReportMetric(each(processorTime()-spent+others()-beside), "cpu-µs/fix")
	b.ReportMetric(each(load), "load-µs/fix")
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "fixes/s")
	b.ReportMetric(float64(b.N)/acknowledged.Seconds(), "acknowledged/s")
}

func none() time.Duration { return 0 }

// processorTime is what this process has used.
func processorTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func mqttText(s string) []byte { return append([]byte{byte(len(s) >> 8), byte(len(s))}, s...) }

func mqttPacket(first byte, body ...[]byte) []byte {
	all := bytes.Join(body, nil)
	return append(binary.AppendUvarint([]byte{first}, uint64(len(all))), all...) // MQTT's lengths are uvarints
}

// frame reads a packet.
func frame(in *bufio.Reader, buffer []byte) (first byte, body []byte, err error) {
	if first, err = in.ReadByte(); err != nil {
		return 0, nil, err
	}
	n, err := binary.ReadUvarint(in)
	if err != nil {
		return 0, nil, err
	}
	body = buffer[:n]
	_, err = io.ReadFull(in, body)
	return first, body, err
}

// acknowledgeAll is the least a server can do.
func acknowledgeAll(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			in, out, buffer := bufio.NewReaderSize(c, 64<<10), []byte(nil), make([]byte, 1024)
			for {
				first, body, err := frame(in, buffer)
				if err != nil {
					return
				}
				if first == 0x10 {
					out = append(out, 0x20, 2, 0, 0)
				} else {
					id := 2 + int(binary.BigEndian.Uint16(body))
					out = append(out, 0x40, 2, body[id], body[id+1])
				}
				if in.Buffered() == 0 {
					_, _ = c.Write(out)
					out = out[:0]
				}
			}
		}()
	}
}

// subscribeAndForget subscribes to everything with QoS 1 and counts what it acknowledges, until c is closed.
func subscribeAndForget(b *testing.B, c net.Conn) *atomic.Int64 {
	b.Helper()
	_, _ = c.Write(append(mqttPacket(0x10, mqttText("MQTT"), []byte{4, 2, 0, 0}, mqttText("null")), mqttPacket(0x82, []byte{0, 1}, mqttText("#"), []byte{1})...))
	in := bufio.NewReaderSize(c, 64<<10)
	if _, err := io.ReadFull(in, make([]byte, 4+5)); err != nil { // CONNACK, SUBACK
		b.Fatal(err)
	}
	got := &atomic.Int64{}
	go func() {
		buffer, out := make([]byte, 1024), []byte(nil)
		for {
			_, body, err := frame(in, buffer)
			if err != nil {
				return
			}
			id := 2 + int(binary.BigEndian.Uint16(body))
			out = append(out, 0x40, 2, body[id], body[id+1])
			got.Add(1)
			if in.Buffered() == 0 {
				_, _ = c.Write(out)
				out = out[:0]
			}
		}
	}()
	return got
}
