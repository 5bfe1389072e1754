package chat_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/paulmach/orb"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"outrider/chat"
	"outrider/identity"
	"outrider/telemetry"
)

// What a button sends back counts only from the person it was made for, as it was made, and not for ever.
func TestButtonsAreSigned(t *testing.T) {
	t.Parallel()
	signet, err := identity.NewSignet([]byte(strings.Repeat("k", identity.KeySize)))
	if err != nil {
		t.Fatal(err)
	}
	ann, bob := identity.Contact{Page: "1", PSID: "7001"}, identity.Contact{Page: "1", PSID: "7002"}
	const day = 24 * time.Hour
	for _, x := range []struct {
		name, payload, says string
		muted               bool
		mark                string
	}{
		{"her own", signet.Sign(ann, "MUTE:van-12:3600", noon), "No alerts of Van 12", true, "genuine"},
		{"made by another gateway", identity.Signet{}.Sign(ann, "MUTE:van-12:3600", noon), "not made for you", false, "forged"},
		{"another person's", signet.Sign(bob, "MUTE:van-12:3600", noon), "not made for you", false, "forged"},
		{"another person's, of another vehicle", signet.Sign(bob, "WHERE:van-2", noon), "not made for you", false, "forged"},
		{"changed", strings.Replace(signet.Sign(ann, "MUTE:van-12:3600", noon), "3600", "9999", 1), "not made for you", false, "forged"},
		{"old, and changes something", signet.Sign(ann, "MUTE:van-12:3600", noon.Add(-100*day)), "too old", false, "outdated"},
		{"old, and asks", signet.Sign(ann, "WHERE:van-12", noon.Add(-100*day)), "Van 12 is", false, "outdated"},
		{"unsigned, and changes something", "MUTE:van-12:3600", "too old", false, "unsigned"},
		{"unsigned, and asks", "WHERE:van-12", "Van 12 is", false, "unsigned"},
		{"unsigned, and opts out", "STOP:", "no more messages", true, "unsigned"},
		{"unsigned, and of another's vehicle", "WHERE:van-2", "not one of your vehicles", false, "unsigned"},
	} {
		f, registry := newFleet(), prometheus.NewRegistry()
		d := chat.New(chat.Options{Fleet: f, Now: func() time.Time { return noon }, Signet: signet, Registerer: registry})
		r, err := d.Answer(t.Context(), chat.Message{Page: "1", PSID: "7001", Text: "x", Payload: x.payload})
		if err != nil || !strings.Contains(r.Text, x.says) || len(f.owners["7001"].Mutes) > 0 != x.muted {
			t.Errorf("%s: %q, %v, mutes %v", x.name, r.Text, err, f.owners["7001"].Mutes)
		}
		for _, tap := range r.Taps {
			if _, mark := signet.Open(ann, tap.Payload, noon); mark != identity.Genuine {
				t.Errorf("%s: the answer's button %q is %v", x.name, tap.Payload, mark)
			}
		}
		want := "# HELP outrider_chat_taps_total Buttons that people tapped, by signature: genuine, outdated, unsigned or forged.\n# TYPE outrider_chat_taps_total counter\n"
		for _, mark := range []string{"forged", "genuine", "outdated", "unsigned"} {
			want += `outrider_chat_taps_total{mark="` + mark + `"} ` + map[bool]string{true: "1", false: "0"}[mark == x.mark] + "\n"
		}
		if err := testutil.GatherAndCompare(registry, strings.NewReader(want), "outrider_chat_taps_total"); err != nil {
			t.Errorf("%s: %v", x.name, err)
		}
	}
}

// A tap on a button of an alert says that it was seen.
func TestAcknowledging(t *testing.T) {
	t.Parallel()
	f := newFleet()
	d := newDialog(f)
	if r := ask(t, d, "7001", "Got it", "ACK:@a1"); r.Text != "Noted: you have seen it." {
		t.Errorf("%q", r.Text)
	}
	if r := ask(t, d, "7001", "Where is it now?", "WHERE:van-12@a2"); !strings.HasPrefix(r.Text, "Van 12 is") {
		t.Errorf("%q", r.Text)
	}
	if _, err := d.Answer(t.Context(), chat.Message{Page: "1", PSID: "7001", Payload: "WHERE:van-12@a3"}); err != nil {
		t.Fatal(err)
	}
	if want := []string{"ann 7001 a1 ACK", "ann 7001 a2 WHERE"}; !slices.Equal(f.seen, want) {
		t.Errorf("acknowledged %q, want %q: an unsigned button says nothing", f.seen, want)
	}
}

func TestQuietHours(t *testing.T) {
	t.Parallel()
	for _, x := range []struct {
		text string
		want identity.Quiet
		says string
	}{
		{"quiet hours from 22 to 7", identity.Quiet{From: 1320, To: 420}, "from 22:00 to 07:00"},
		{"quiet hours 22:30-06:15", identity.Quiet{From: 1350, To: 375}, "from 22:30 to 06:15"},
		{"quite hours 10 pm to 6 am please", identity.Quiet{From: 1320, To: 360}, "from 22:00 to 06:00"},
		{"quiet hours 12am to 12pm", identity.Quiet{From: 0, To: 720}, "from 00:00 to 12:00"},
		{"Ruhezeit von 22 Uhr bis 7 Uhr", identity.Quiet{From: 1320, To: 420}, "from 22:00 to 07:00"},
		{"horas de silencio de 22:00 a 7:00", identity.Quiet{From: 1320, To: 420}, "from"},
		{"horário de silêncio das 22h às 7h", identity.Quiet{From: 1320, To: 420}, "from"},
		{"शांत समय २२:०० से ७:००", identity.Quiet{From: 1320, To: 420}, "from"},
		{"giờ yên lặng 22h đến 7h", identity.Quiet{From: 1320, To: 420}, "from"},
		{"quiet hours", identity.Quiet{}, "You have no quiet hours."},
		{"quiet hours from 25 to 7", identity.Quiet{}, "From when to when?"},
		{"quiet hours 7 to 7", identity.Quiet{}, "From when to when?"},
	} {
		f := newFleet()
		if r := ask(t, newDialog(f), "7001", x.text, ""); !strings.Contains(r.Text, x.says) || f.owners["7001"].Quiet != x.want {
			t.Errorf("%s: %q, %+v", x.text, r.Text, f.owners["7001"].Quiet)
		}
	}
	f := newFleet()
	d := newDialog(f)
	for _, x := range []struct{ text, payload, says string }{
		{"quiet hours", "", "From when to when?"},
		{"22 - 6", "", "No alerts from 22:00 to 06:00"}, // the answer to the question
		{"my alerts", "", "Quiet hours: 22:00 to 06:00."},
		{"22 - 6", "", "did not understand"}, // nobody asked
		{"quiet hours off", "", "Quiet hours are off."},
		{"x", "QUIET:1380-360", "No alerts from 23:00 to 06:00"},
		{"x", "QUIET:9999-360", "Quiet hours: 23:00 to 06:00."},
		{"x", "QUIET:off", "Quiet hours are off."},
	} {
		if r := ask(t, d, "7001", x.text, x.payload); !strings.Contains(r.Text, x.says) {
			t.Errorf("%s %s: %q, want %q", x.text, x.payload, r.Text, x.says)
		}
	}
}

func TestTellOnce(t *testing.T) {
	t.Parallel()
	f := newFleet()
	d := newDialog(f)
	for _, x := range []struct{ text, payload, says string }{
		{"tell me when it arrives at depot", "", "I tell you once, when Van 12 arrives at Depot."},
		{"alert me when it leaves", "", "I tell you once, when Van 12 next leaves a geofence."},
		{"sag mir wenn es losfährt", "", "when Van 12 next leaves a geofence."}, // again: no second wish
		{"x", "ARRIVE:van-12:nowhere", "did not understand"},
		{"x", "ARRIVE:secret:depot", "not one of your vehicles"},
		{"my alerts", "", "I tell you once, when Van 12 arrives at Depot.\nI tell you once, when Van 12 next leaves a geofence."},
	} {
		if r := ask(t, d, "7001", x.text, x.payload); !strings.Contains(r.Text, x.says) {
			t.Errorf("%s %s: %q, want %q", x.text, x.payload, r.Text, x.says)
		}
	}
	once := f.owners["7001"].Once
	if len(once) != 2 || once[0].Fence != "depot" || once[0].Kind != "enter" || once[1].Kind != "exit" || !once[1].Since.Equal(noon) || once[0].ID == once[1].ID {
		t.Errorf("%+v", once)
	}
}

func TestPutAFenceHere(t *testing.T) {
	t.Parallel()
	for _, x := range []struct {
		text, name string
		radius     float64
	}{
		{"put a fence of 300 m here named Home", "Home", 300},
		{`fence here "Anna's place" 1.5 km`, "Anna's place", 1500},
		{"put a fence here called School run", "School run", 200},
		{"Zaun hier mit 150 Metern namens Büro", "Büro", 150},
		{"pon una geocerca aquí de 500 metros llamada Casa", "Casa", 500},
		{"coloque uma cerca aqui de 500 m chamada Casa", "Casa", 500},
		{"यहाँ क्षेत्र बनाओ २०० मीटर नाम घर", "घर", 200},
		{"đặt vùng ở đây 250 m tên Nhà", "Nhà", 250},
		{"fence here 1 m named Dot", "Dot", 50},
		{"fence here 999 km named World", "World", 10000},
	} {
		f := newFleet()
		ask(t, newDialog(f), "7001", x.text, "")
		if len(f.circles) != 1 || f.circles[0].Name != x.name || f.circles[0].Radius != x.radius || f.circles[0].Center != (orb.Point{11.5755, 48.1374}) {
			t.Errorf("%s: %+v", x.text, f.circles)
		}
	}
}

// What was asked and not yet answered goes on where it stood, in another process, until it is too late.
func TestAQuestionGoesOn(t *testing.T) {
	t.Parallel()
	f := newFleet()
	f.fixes["van-2"] = telemetry.NewFix("acme", "van-2", noon, orb.Point{3, 4})
	steps := []struct{ text, says string }{
		{"put a fence here", "Which vehicle do you mean?"},
		{"VAN 2!", "What shall the geofence around Van 2 be called?"},
		{"Grandma's", "Grandma's is there: 200 m around Van 2."},
		{"van 2", "Van 2 is"}, // nothing is open any more
		{"put a fence here", "Which vehicle do you mean?"},
		{"😀", "did not understand"}, // and the question stays
		{"van 2", "What shall the geofence around Van 2 be called?"},
		{"remove fence", "You have no geofence of your own"}, // something else
		{"tell me when it leaves", "Which vehicle do you mean?"},
		{"my vehicles", "Your vehicles:"}, // something else: the question is forgotten
	}
	for _, s := range steps {
		if r := ask(t, newDialog(f), "7002", s.text, ""); !strings.Contains(r.Text, s.says) {
			t.Fatalf("%s: %q, want %q", s.text, r.Text, s.says)
		}
	}
	ask(t, newDialog(f), "7002", "status", "")
	if r := ask(t, newDialog(f), "7002", "Van 2", "STATUS:van-2"); !strings.Contains(r.Text, "Ignition") {
		t.Errorf("tapped: %q", r.Text)
	}
	if r := ask(t, newDialog(f), "7002", "van 2", ""); !strings.HasPrefix(r.Text, "Van 2 is") {
		t.Errorf("a tap did not answer the question: %q", r.Text)
	}
	if len(f.circles) != 1 || f.circles[0].Center != (orb.Point{3, 4}) {
		t.Errorf("%+v", f.circles)
	}
	for _, name := range []string{"Mein Haus", "Hauz", "Work", "Mamas Laden", "Trabajo", "घर", "Nhà tôi", "1"} {
		f := newFleet()
		ask(t, newDialog(f), "7001", "fence here", "")
		if ask(t, newDialog(f), "7001", name, ""); len(f.circles) != 1 || f.circles[0].Name != name {
			t.Errorf("%q is no name: %+v", name, f.circles)
		}
	}
	for _, wish := range []string{"where is my car", "help", "Hilfe", "mute for 2 hours", "quiet hours", "dónde está mi coche"} {
		f := newFleet()
		ask(t, newDialog(f), "7001", "fence here", "")
		if ask(t, newDialog(f), "7001", wish, ""); len(f.circles) != 0 {
			t.Errorf("%q is a name: %+v", wish, f.circles)
		}
	}
	ask(t, newDialog(f), "7002", "put a fence here", "")
	now := noon.Add(time.Hour)
	late := chat.New(chat.Options{Fleet: f, Now: func() time.Time { return now }})
	if r := ask(t, late, "7002", "van 2", ""); !strings.Contains(r.Text, "Van 2 was last seen 60 minutes ago") {
		t.Errorf("an hour later: %q", r.Text)
	}
	ask(t, newDialog(f), "7002", "put a fence here", "")
	if r := ask(t, newDialog(f), "7002", "stop", ""); !strings.Contains(r.Text, "no more messages") {
		t.Errorf("stop in the middle: %q", r.Text)
	}
}

func TestRemoveAFence(t *testing.T) {
	t.Parallel()
	f := newFleet()
	d := newDialog(f)
	for _, x := range []struct{ text, payload, says string }{
		{"remove fence", "", "You have no geofence of your own."},
		{"remove fence depot", "", "You have no geofence of your own."}, // the fleet's
		{"fence here named Home", "", "Home is there"},
		{"fence here named Work", "", "Work is there"},
		{"geofences", "", "• Home (yours)"},
		{"x", "REMOVE:depot", "Which of your geofences shall go?"},
		{"work", "", "Work is removed."}, // the answer
		{"delete fence home", "", "Home is removed."},
	} {
		if r := ask(t, d, "7001", x.text, x.payload); !strings.Contains(r.Text, x.says) {
			t.Errorf("%s %s: %q, want %q", x.text, x.payload, r.Text, x.says)
		}
	}
	if len(f.fences) != 2 {
		t.Errorf("left: %+v", f.fences)
	}
	for i := range 20 {
		ask(t, chat.New(chat.Options{Fleet: f, Now: func() time.Time { return noon }}), "7001", "fence here named Place "+string(rune('A'+i)), "")
	}
	if r := ask(t, d, "7001", "fence here named One more", ""); !strings.Contains(r.Text, "as many geofences") {
		t.Errorf("%q", r.Text)
	}
	if r := ask(t, d, "7001", "fence here named Place B", ""); !strings.Contains(r.Text, "Place B is there") {
		t.Errorf("the same name moves: %q", r.Text)
	}
}

func TestPositionIsACard(t *testing.T) {
	t.Parallel()
	f := newFleet()
	f.picture, f.places = "https://gateway.example/card/x", []chat.Place{{Fence: "Depot", Distance: 1234, Bearing: -91}}
	r := ask(t, newDialog(f), "7001", "where", "")
	want := chat.Card{
		Title: "Van 12 is 1.2 km west of Depot. It is driving at 34 km/h.", Subtitle: "Position of 20 seconds ago.",
		Image: f.picture, Link: "https://www.openstreetmap.org/?mlat=48.13740&mlon=11.57550#map=16/48.13740/11.57550", LinkTitle: "Open map",
	}
	if r.Card == nil || *r.Card != want || !strings.Contains(r.Text, "Map: "+want.Link) {
		t.Errorf("%+v\n%q", r.Card, r.Text)
	}
}
