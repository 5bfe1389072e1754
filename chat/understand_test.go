package chat_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"outrider/chat"
)

var vehicles = []chat.Named{{"van-12", "Van 12"}, {"van-2", "Van 2"}, {"anna/phone", "Anna's phone"}, {"ros-1", "Rosinante"}}

func TestUnderstand(t *testing.T) {
	t.Parallel()
	for _, x := range []struct {
		text string
		want chat.Understanding
	}{
		// English, with synonyms, politeness and mistakes.
		{"where is my car?", chat.Understanding{Intent: chat.Where}},
		{"Where's my car", chat.Understanding{Intent: chat.Where}},
		{"WHERE IS MY CAR", chat.Understanding{Intent: chat.Where}},
		{"were is my carr", chat.Understanding{Intent: chat.Where}},
		{"can you please tell me where it is right now", chat.Understanding{Intent: chat.Where}},
		{"Wo isst mein Auto", chat.Understanding{Intent: chat.Where}},
		{"locaton", chat.Understanding{Intent: chat.Where}},
		{"where is van 12", chat.Understanding{Intent: chat.Where, Vehicle: "van-12"}},
		{"where is van-2?", chat.Understanding{Intent: chat.Where, Vehicle: "van-2"}},
		{"Van 2", chat.Understanding{Intent: chat.Where, Vehicle: "van-2"}},
		{"rosinate", chat.Understanding{Intent: chat.Where, Vehicle: "ros-1"}},
		{"where is annas phone", chat.Understanding{Intent: chat.Where, Vehicle: "anna/phone"}},
		{"what did it do today", chat.Understanding{Intent: chat.History}},
		{"history of van 12", chat.Understanding{Intent: chat.History, Vehicle: "van-12"}},
		{"is the ignition on", chat.Understanding{Intent: chat.Status}},
		{"statsu", chat.Understanding{Intent: chat.Status}},
		{"list my vehicles", chat.Understanding{Intent: chat.List}},
		{"geofences", chat.Understanding{Intent: chat.Fences}},
		{"which alerts do i get", chat.Understanding{Intent: chat.Alerts}},
		{"mute", chat.Understanding{Intent: chat.Mute}},
		{"mute van 2 for 2 hours", chat.Understanding{Intent: chat.Mute, Vehicle: "van-2", For: 2 * time.Hour}},
		{"mute 30min", chat.Understanding{Intent: chat.Mute, For: 30 * time.Minute}},
		{"mute until tomorrow", chat.Understanding{Intent: chat.Mute, Tomorrow: true}},
		{"mute for an hour", chat.Understanding{Intent: chat.Mute, For: time.Hour}},
		{"mute for 9999 weeks", chat.Understanding{Intent: chat.Mute, For: 30 * 24 * time.Hour}},
		{"unmute", chat.Understanding{Intent: chat.Unmute}},
		{"STOP", chat.Understanding{Intent: chat.Stop}},
		{"please stop!", chat.Understanding{Intent: chat.Stop}},
		{"start", chat.Understanding{Intent: chat.Start}},
		{"hello", chat.Understanding{Intent: chat.Help}},
		{"help", chat.Understanding{Intent: chat.Help}},
		{"are you a robot?", chat.Understanding{Intent: chat.Who}},
		{"thank you", chat.Understanding{Intent: chat.Thanks}},
		{"language", chat.Understanding{Intent: chat.Language}},
		{"speak german", chat.Understanding{Intent: chat.Language, Language: "de"}},
		{"Deutsch", chat.Understanding{Intent: chat.Language, Language: "de"}},

		// The other languages, with and without accents.
		{"Wo ist mein Auto?", chat.Understanding{Intent: chat.Where}},
		{"wo steht van 12", chat.Understanding{Intent: chat.Where, Vehicle: "van-12"}},
		{"stumm für 3 stunden", chat.Understanding{Intent: chat.Mute, For: 3 * time.Hour}},
		{"Meldungen an", chat.Understanding{Intent: chat.Unmute}},
		{"hilfe", chat.Understanding{Intent: chat.Help}},
		{"¿Dónde está mi coche?", chat.Understanding{Intent: chat.Where}},
		{"donde esta mi carro", chat.Understanding{Intent: chat.Where}},
		{"silenciar 2 horas", chat.Understanding{Intent: chat.Mute, For: 2 * time.Hour}},
		{"cadê meu carro", chat.Understanding{Intent: chat.Where}},
		{"Onde está meu carro?", chat.Understanding{Intent: chat.Where}},
		{"मेरी गाड़ी कहाँ है?", chat.Understanding{Intent: chat.Where}},
		{"मदद", chat.Understanding{Intent: chat.Help}},
		{"Xe tôi ở đâu?", chat.Understanding{Intent: chat.Where}},
		{"xe toi o dau", chat.Understanding{Intent: chat.Where}},
		{"bật cảnh báo", chat.Understanding{Intent: chat.Unmute}},

		// What is not understood.
		{"", chat.Understanding{}},
		{"😀😀😀", chat.Understanding{}},
		{"the weather is fine", chat.Understanding{}},
		{"when did the driver stop at the depot yesterday evening", chat.Understanding{}},
		{strings.Repeat("bla ", 500), chat.Understanding{}},
	} {
		for _, language := range []string{"en", "de"} {
			if got := chat.Understand(x.text, language, vehicles); got != x.want {
				t.Errorf("%s, speaking %s: %+v, want %+v", x.text, language, got, x.want)
			}
		}
	}
}

func TestTwoVehiclesOfOneName(t *testing.T) {
	t.Parallel()
	u := chat.Understand("where is the van", "en", []chat.Named{{"a", "Van"}, {"b", "Van"}})
	if u.Intent != chat.Where || u.Vehicle != "" || !u.Several {
		t.Errorf("%+v", u)
	}
}

func FuzzUnderstand(f *testing.F) {
	for _, text := range []string{"where is my car", "mute 2h", "Wo?", "मदद", "\xff\xfe", "OFF:van:depot"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		u := chat.Understand(text, "en", vehicles)
		if u.Intent != chat.Unknown && !slices.Contains(chat.Intents(), u.Intent) {
			t.Errorf("%q: %+v", text, u)
		}
		if u.For < 0 || u.For > 30*24*time.Hour {
			t.Errorf("%q: muted for %v", text, u.For)
		}
	})
}

// An answer should be far from 300 ms away: the longest message, a hundred vehicles.
func BenchmarkUnderstand(b *testing.B) {
	many := make([]chat.Named, 100)
	for i := range many {
		many[i] = chat.Named{ID: "van", Name: "Van of the northern depot " + strings.Repeat("x", i%7)}
	}
	for name, text := range map[string]string{"usual": "where is my car", "longest": strings.Repeat("word ", 400)} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				chat.Understand(text, "en", many)
			}
		})
	}
}
