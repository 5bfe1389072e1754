package codec_test

import (
	"fmt"
	"testing"
	"time"

	"outrider/telemetry"
	"outrider/telemetry/codec"
)

func TestExplain(t *testing.T) {
	t.Parallel()
	rules, err := codec.ParseRules("plant/{vehicle} flespi; any/{vehicle} auto")
	if err != nil {
		t.Fatal(err)
	}
	j := codec.NewJoiner(codec.New(codec.Options{Topics: rules}), codec.JoinerOptions{})
	for _, c := range []struct{ topic, payload, want string }{
		{
			"plant/van-1", flespiFix,
			"format   flespi (by the topic rule plant/{vehicle})\nfix      default/van-1 at 2026-01-01T00:00:00Z: latitude 48.100000, longitude 11.500000",
		},
		{
			"any/van-1", flespiFix,
			"format   flespi (the topic rule any/{vehicle} leaves it to the payload, which looks like it)\n" +
				"fix      default/van-1 at 2026-01-01T00:00:00Z: latitude 48.100000, longitude 11.500000",
		},
		{
			"some/where", flespiFix,
			"format   flespi (no topic rule matches, and the payload looks like it)\n" +
				"fix      default/352 at 2026-01-01T00:00:00Z: latitude 48.100000, longitude 11.500000",
		},
		{
			"fleet/acme/van-1/fix", `{"t":1767225600,"lat":48.1,"lon":11.5,"spd":13.9,"acc":5,"hdg":270,"alt":519,"hdop":0.9,"ign":true}`,
			"format   native (by the topic fleet/{tenant}/{vehicle}/fix)\n" +
				"fix      acme/van-1 at 2026-01-01T00:00:00Z: latitude 48.100000, longitude 11.500000, accuracy 5.0 m, speed 13.90 m/s, heading 270.0°, altitude 519.0 m, HDOP 0.9, ignition on",
		},
		{
			"fleet/acme/van-1/auto", `{"t":1767225600,"lat":48.1,"lon":11.5,"ign":false}`,
			"format   native (the topic leaves it to the payload, which looks like it)\n" +
				"fix      acme/van-1 at 2026-01-01T00:00:00Z: latitude 48.100000, longitude 11.500000, ignition off",
		},
		{
			"fleet/acme/van-1/teltonika", `{"state":{"reported":{"ts":1767225600000,"latlng":"0,0"}}}`,
			"format   teltonika (by the topic fleet/{tenant}/{vehicle}/teltonika)\nrefused  no_fix: 0,0 is what a tracker sends that has no position",
		},
		{
			"fleet/acme/van-1/flespi", `{"ident":"1","battery.level":80}`,
			"format   flespi (by the topic fleet/{tenant}/{vehicle}/flespi)\nnothing  understood, and it holds no position",
		},
		{
			"owntracks/jane/phone", `{"_type":"encrypted","data":"AAAA"}`,
			"format   owntracks (by the topic owntracks/{user}/{device})\nrefused  unsupported _type: the payload is encrypted by OwnTracks, which is not supported: " +
				"clear the encryption key in the app and protect the connection with TLS",
		},
		{
			"home/light", `{"on":true}`,
			`refused  topic: "home/light" is neither fleet/{tenant}/{vehicle}/fix nor owntracks/{user}/{device}, and the payload looks like no format that is known: name its codec in a topic rule, or describe it in a mapping`,
		},
		{
			"ovms/u/v/metric/v/p/latitude", "48.1",
			"format   ovms (by the topic, which holds one value that is joined with the others of its burst)\nnothing  understood, and it holds no position",
		},
		{
			"ovms/u/v/metric/v/p/latitude", "north",
			"format   ovms (by the topic, which holds one value that is joined with the others of its burst)\n" +
				`refused  type: "north" is no number, expected degrees`,
		},
	} {
		if got := j.Explain(telemetry.Message{Topic: c.topic, Payload: []byte(c.payload)}).String(); got != c.want {
			t.Errorf("%s %s:\n%s\nwant\n%s", c.topic, c.payload, got, c.want)
		}
	}
}

func ExampleDecoder_Explain() {
	decoder := codec.New(codec.Options{})
	fmt.Println(decoder.Explain(telemetry.Message{
		Topic:    "fleet/acme/van-7/teltonika",
		Payload:  []byte(`{"state":{"reported":{"ts":"1767225600000","latlng":"48.137430,11.575490","sp":"36","ang":"270","sat":"9"}}}`),
		Received: time.Date(2026, 1, 1, 0, 0, 1, 0, time.UTC),
	}))
	// Output:
	// format   teltonika (by the topic fleet/{tenant}/{vehicle}/teltonika)
	// fix      acme/van-7 at 2026-01-01T00:00:00Z: latitude 48.137430, longitude 11.575490, speed 10.00 m/s, heading 270.0°
}
