package app_test

import (
	"bufio"
	"context"
	"encoding/binary"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"outrider/identity"
	"outrider/internal/app"
	"outrider/internal/config"
	"outrider/notify"
	"outrider/simulator/graph"
)

// paceVariable makes this program drive a fleet in real time: "address connections vehicles-for-each seconds".
const paceVariable = "OUTRIDER_TEST_PACE"

// The fleet of BenchmarkPublishToSend: 10,000 fixes a second, of which 1 % cross a fence; so many owners hear of theirs.
const (
	paceConnections = 500
	paceOwners      = 1000
)

var paceVehicles = flag.Int("each", 20, "vehicles of each of the 500 connections of BenchmarkPublishToSend, with a fix a second each; at least 2")

// BenchmarkPublishToSend drives 10,000 vehicles with a fix a second each and tells how long an alert takes, from the moment
// before the fix that decides it is written to its connection until the request to the Send API begins. Every iteration is a
// second of driving.
//
//	go test ./internal/app -run '^$' -bench PublishToSend -benchtime 60x
func BenchmarkPublishToSend(b *testing.B) {
	var mu sync.Mutex // guards sent
	var sent []pacedAlert
	a := latencyGateway(b, func(d notify.Delivery, began time.Time) {
		mu.Lock()
		defer mu.Unlock()
		sent = append(sent, pacedAlert{string(d.Alert.Vehicle), d.Alert.Received.UnixNano(), d.Created.UnixNano(), began.UnixNano()})
	})
	load := exec.CommandContext(b.Context(), os.Args[0])
	load.Env = append(os.Environ(), fmt.Sprintf("%s=%s %d %d %d", paceVariable, a.MQTTAddr(), paceConnections, *paceVehicles, b.N+5))
	load.Stderr = os.Stderr
	spent := processorTime()
	b.ResetTimer()
	out, err := load.Output()
	b.StopTimer()
	if err != nil {
		b.Fatal(err)
	}
	published := readPublished(out)
	mu.Lock()
	defer mu.Unlock()
	var waits, arrive, decide, outbox []time.Duration
	for _, s := range sent {
		if at, ok := s.publication(published[s.vehicle]); ok {
			waits = append(waits, time.Duration(s.began-at))
			arrive = append(arrive, time.Duration(s.received-at))
			decide = append(decide, time.Duration(s.decided-s.received))
			outbox = append(outbox, time.Duration(s.began-s.decided))
		}
	}
	if b.N == 1 {
		return // the trial run, in which nothing crosses anything yet
	}
	if len(waits) < b.N {
		b.Fatalf("only %d alerts, of %d sent", len(waits), len(sent))
	}
	report := func(name string, of []time.Duration) {
		slices.Sort(of)
		for _, q := range []int{50, 99} {
			b.ReportMetric(of[q*(len(of)-1)/100].Seconds()*1000, fmt.Sprintf("%sp%d-ms", name, q))
		}
	}
	fixes := float64(paceConnections * *paceVehicles * (b.N + 5))
	b.ReportMetric(float64(len(waits)), "alerts")
	report("", waits)
	report("arrive-", arrive) // until the endpoint has read it
	report("decide-", decide) // journal, lane and engine
	report("outbox-", outbox) // commit and claim, and the texts
	b.ReportMetric(float64((processorTime()-spent).Nanoseconds())/1e3/fixes, "cpu-µs/fix")
	b.ReportMetric(float64((load.ProcessState.UserTime()+load.ProcessState.SystemTime()).Nanoseconds())/1e3/fixes, "load-µs/fix")
}

// pacedAlert is an alert: when the gateway received the fix that decided it, when it was decided, and when the request
// began, in nanoseconds.
type pacedAlert struct {
	vehicle                  string
	received, decided, began int64
}

// publication is the vehicle's last one before the fix was received. The first seconds do not count: caches fill, and
// connections are being made.
func (s pacedAlert) publication(published []int64) (at int64, ok bool) {
	i, _ := slices.BinarySearch(published, s.received+1000) // which is rounded to microseconds
	if i < 6 {
		return 0, false
	}
	return published[i-1], true
}

// latencyGateway is a gateway with fences, and owners who wrote to their page just now.
func latencyGateway(b *testing.B, onSent func(notify.Delivery, time.Time)) *app.App {
	b.Helper()
	sandbox := graph.New(graph.Options{AppSecret: "app-secret-of-the-test", VerifyToken: "verify-token-of-the-test"})
	sandbox.AddPage(page, "Fleet", token)
	server := httptest.NewServer(sandbox)
	b.Cleanup(func() { server.Close(); _ = sandbox.Close() })
	c, err := config.Load(config.Source{Flags: map[string]string{
		"data.dir": b.TempDir(), "http.listen": "127.0.0.1:0", "mqtt.listen": "127.0.0.1:0", "graph.url": server.URL, "facebook.app_id": "1000",
		"facebook.app_secret": "app-secret-of-the-test", "facebook.verify_token": "verify-token-of-the-test", "admin.key": key, "chat.mode": "off",
	}})
	if err != nil {
		b.Fatal(err)
	}
	ownVehicles(b, c)
	a, err := app.New(app.Options{Config: c, SelfAddressed: true, OnSent: onSent})
	if err == nil {
		err = a.Start(b.Context())
	}
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = a.Stop(context.Background()) })
	benchPut(b, a, "pages/"+page, fmt.Sprintf(`{"name":"Fleet","access_token":%q}`, token))
	for i := range 200 {
		benchPut(b, a, fmt.Sprint("geofences/f", i), fmt.Sprintf(
			`{"type":"Feature","properties":{"shape":"circle","radius_m":100},"geometry":{"type":"Point","coordinates":[11.5,%.7f]}}`, benchLatitude(200*i+100)))
	}
	sandbox.SetWebhook("http://" + a.HTTPAddr().String() + "/webhook/messenger")
	for i := range paceOwners {
		psid := fmt.Sprint(70_000_000 + i)
		if err := sandbox.AddPerson(page, psid, "Owner"); err != nil {
			b.Fatal(err)
		}
		if _, err := sandbox.Say(page, psid, "hello"); err != nil {
			b.Fatal(err)
		}
	}
	await(b, func() bool { return benchMetric(b, a, "outrider_webhook_events_total") >= paceOwners })
	return a
}

// ownVehicles gives some vehicles an owner each: here and there, since their alerts would come all at once if they were every
// twentieth, say.
func ownVehicles(b *testing.B, c config.Config) {
	b.Helper()
	s, err := app.OpenStore(b.Context(), c)
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	for i := range paceOwners {
		owner := identity.OwnerID(fmt.Sprint("owner-", i))
		contact := identity.Contact{Page: page, PSID: identity.PSID(fmt.Sprint(70_000_000 + i))}
		if err := s.PutOwner(b.Context(), identity.Owner{Tenant: "default", ID: owner, Contacts: []identity.Contact{contact}}); err != nil {
			b.Fatal(err)
		}
		owned := i * 7919 % (paceConnections * *paceVehicles)
		id := identity.VehicleID(paceVehicle(owned / *paceVehicles, owned%*paceVehicles))
		vehicle := identity.Vehicle{Tenant: "default", ID: id, Owners: []identity.OwnerID{owner}}
		if err := s.PutVehicle(b.Context(), vehicle); err != nil {
			b.Fatal(err)
		}
	}
}

func benchPut(b *testing.B, a *app.App, path, body string) {
	b.Helper()
	req, _ := http.NewRequestWithContext(b.Context(), http.MethodPut, fmt.Sprintf("http://%s/api/v1/%s", a.HTTPAddr(), path), strings.NewReader(body))
	req.Header.Set("Authorization", "Bearer "+key)
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil || res.StatusCode/100 != 2 {
		b.Fatalf("%s: %v %v", path, res, err)
	}
	_ = res.Body.Close()
}

func paceVehicle(connection, i int) string { return fmt.Sprintf("van-%03d-%02d", connection, i) }

// drivePaced is the life of the process that drives: it says when which vehicle published, as pairs of a number and nanoseconds.
func drivePaced(order string, out io.Writer) error {
	var address string
	var connections, vehicles, seconds int
	if _, err := fmt.Sscan(order, &address, &connections, &vehicles, &seconds); err != nil {
		return err
	}
	var driving sync.WaitGroup
	var failed atomic.Int32
	published := make([][]int64, connections*vehicles)
	begin := time.Now().Add(2 * time.Second)
	for i := range connections {
		c, err := net.Dial("tcp", address)
		if err != nil {
			return err
		}
		_, _ = c.Write(mqttPacket(0x10, mqttText("MQTT"), []byte{4, 2, 0, 0}, mqttText(fmt.Sprint("pace-", i))))
		if _, err := io.ReadFull(c, make([]byte, 4)); err != nil {
			return err
		}
		driving.Go(func() {
			defer c.Close()
			if driveOne(c, i, connections, begin, seconds, published[i*vehicles:(i+1)*vehicles]) != nil {
				failed.Add(1)
			}
		})
	}
	driving.Wait()
	if n := failed.Load(); n > 0 {
		return fmt.Errorf("%d connections failed", n)
	}
	w := bufio.NewWriter(out)
	for vehicle, times := range published {
		for _, at := range times {
			_ = binary.Write(w, binary.LittleEndian, [2]int64{int64(vehicle), at})
		}
	}
	return w.Flush()
}

// driveOne publishes one fix of each vehicle in turn, evenly over each second, and notes when.
func driveOne(c net.Conn, connection, connections int, begin time.Time, seconds int, published [][]int64) error {
	answers := bufio.NewReader(c)
	packets := make([]*packetForm, len(published))
	for i := range packets {
		packets[i] = benchPacket(fmt.Sprintf("fleet/default/%s/fix", paceVehicle(connection, i)))
	}
	gap := time.Second / time.Duration(len(published))
	offset := gap * time.Duration(connection) / time.Duration(connections)
	for second := range seconds {
		for i, p := range packets {
			at := begin.Add(offset + time.Duration(second)*time.Second + time.Duration(i)*gap)
			time.Sleep(time.Until(at))
			// Each vehicle is somewhere else on the way, so that crossings come evenly.
			p.set(byte(1+i), at.Unix(), benchLatitude(second+(connection*len(packets)+i)*17%20_000))
			now := time.Now()
			if _, err := c.Write(p.bytes); err != nil {
				return err
			}
			published[i] = append(published[i], now.UnixNano())
			if _, err := answers.Discard(4); err != nil {
				return err
			}
		}
	}
	return nil
}

// readPublished reads what drivePaced says.
func readPublished(b []byte) map[string][]int64 {
	all := map[string][]int64{}
	for ; len(b) >= 16; b = b[16:] {
		vehicle := int(binary.LittleEndian.Uint64(b))
		name := paceVehicle(vehicle / *paceVehicles, vehicle%*paceVehicles)
		all[name] = append(all[name], int64(binary.LittleEndian.Uint64(b[8:])))
	}
	return all
}
