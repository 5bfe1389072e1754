package graph

import (
	"bytes"
	"embed"
	"fmt"
	html "html/template"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

//go:embed phone/phone.html phone/phone.css phone/phone.js
var phoneFiles embed.FS

// phoneTemplates never change.
var phoneTemplates = html.Must(html.ParseFS(phoneFiles, "phone/phone.html"))

// phonePath is where the phones are.
const phonePath = "/phone"

// Limits of a picture that a phone fetches, as Meta sets them.
const (
	pictureBytes   = 8 << 20
	pictureTimeout = 10 * time.Second
)

// newPhone serves the phones: what each person sees, and what they do. Nothing here is part of Meta's API.
func newPhone(s *Sandbox) http.Handler {
	p := &phone{s, &http.Client{Timeout: pictureTimeout}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /phone", p.people)
	mux.HandleFunc("GET /phone/{$}", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, phonePath, http.StatusSeeOther) })
	mux.HandleFunc("GET /phone/phone.css", p.file("phone/phone.css", "text/css; charset=utf-8"))
	mux.HandleFunc("GET /phone/phone.js", p.file("phone/phone.js", "text/javascript; charset=utf-8"))
	mux.HandleFunc("GET /phone/{page}/{psid}", p.thread)
	mux.HandleFunc("GET /phone/{page}/{psid}/events", p.events)
	mux.HandleFunc("GET /phone/{page}/{psid}/picture/{seq}", p.picture)
	mux.HandleFunc("POST /phone/{page}/{psid}/say", p.say)
	mux.HandleFunc("POST /phone/{page}/{psid}/tap", p.tap)
	return http.NewCrossOriginProtection().Handler(secured(mux))
}

// secured sets the headers of every page.
func secured(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "+
			"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

// phone is the pages' handlers.
type phone struct {
	s      *Sandbox
	client *http.Client // fetches pictures
}

func (p *phone) file(name, media string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		body, err := phoneFiles.ReadFile(name)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", media)
		_, _ = w.Write(body)
	}
}

func render(w http.ResponseWriter, name string, data any) {
	var b bytes.Buffer
	if err := phoneTemplates.ExecuteTemplate(&b, name, data); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = b.WriteTo(w)
}

// shownPerson is a person in the list.
type shownPerson struct {
	Person
	Path, Last string
}

func (p *phone) people(w http.ResponseWriter, _ *http.Request) {
	last := map[[2]string]string{}
	for _, m := range p.s.Messages() {
		last[[2]string{m.Page, m.PSID}] = strings.ReplaceAll(m.Text, "\n", " ")
	}
	var list []shownPerson
	for _, one := range p.s.People() {
		if one.Name == "" {
			one.Name = one.PSID
		}
		list = append(list, shownPerson{one, pathOf(one.Page, one.PSID), last[[2]string{one.Page, one.PSID}]})
	}
	render(w, "people", list)
}

func pathOf(page, psid string) string {
	return phonePath + "/" + url.PathEscape(page) + "/" + url.PathEscape(psid)
}

// shownThread is a conversation as a phone shows it.
type shownThread struct {
	Page, Name, Path string
	WindowOpen       bool
	Until            time.Time
	Turns            []shownTurn
	Replies          []shownButton
}

// shownTurn is one message of either side.
type shownTurn struct {
	Mine, Rich           bool
	Title, Body, Picture string
	Type                 string
	Time                 time.Time
	Buttons              []shownButton
}

type shownButton struct{ Title, Payload, URL, Key string }

func (p *phone) thread(w http.ResponseWriter, r *http.Request) {
	page, psid := r.PathValue("page"), r.PathValue("psid")
	t, ok := p.s.shown(page, psid)
	if !ok {
		http.NotFound(w, r)
		return
	}
	p.s.look(page, psid)
	render(w, "thread", t)
}

// shown is a conversation as a phone shows it; false when there is none.
func (s *Sandbox) shown(pageID, psid string) (shownThread, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, err := s.thread(pageID, psid)
	if err != nil {
		return shownThread{}, false
	}
	v := shownThread{
		Page: or(s.pages[pageID].name, pageID), Name: or(t.name, psid), Path: pathOf(pageID, psid),
		WindowOpen: t.open(s.now()), Until: t.lastAction.Add(24 * time.Hour).Local(),
	}
	for _, turn := range t.turns {
		if turn.message == 0 {
			v.Turns, v.Replies = append(v.Turns, shownTurn{Mine: true, Title: turn.text, Time: turn.at.Local()}), nil
			continue
		}
		m := &s.messages[turn.message-1]
		one, replies := showMessage(m, v.Path)
		v.Turns, v.Replies = append(v.Turns, one), replies
	}
	return v, true
}

func showMessage(m *Message, path string) (shownTurn, []shownButton) {
	one := shownTurn{Title: m.Text, Time: m.Time.Local(), Type: m.Type}
	if m.Tag != "" {
		one.Type += " " + m.Tag
	}
	if m.Template == "generic" {
		one.Title, one.Body, _ = strings.Cut(m.Text, "\n")
	}
	if m.Image != "" {
		one.Picture = fmt.Sprintf("%s/picture/%d", path, m.Seq)
	}
	var replies []shownButton
	for i, b := range m.Buttons {
		shown := shownButton{b.Title, b.Payload, b.URL, fmt.Sprintf("%d-%d", m.Seq, i)}
		if b.Kind == QuickReply {
			replies = append(replies, shown)
		} else {
			one.Buttons = append(one.Buttons, shown)
		}
	}
	one.Rich = len(one.Buttons) > 0 || one.Picture != ""
	return one, replies
}

// events tells a page that there is something new, as server-sent events.
func (p *phone) events(w http.ResponseWriter, r *http.Request) {
	page, psid := r.PathValue("page"), r.PathValue("psid")
	c := http.NewResponseController(w)
	_ = c.SetWriteDeadline(time.Time{}) // it lasts as long as somebody looks
	_ = c.SetReadDeadline(time.Time{})
	w.Header().Set("Content-Type", "text/event-stream")
	for seen := -1; ; {
		next := p.s.news.next()
		n, ok := p.s.turns(page, psid)
		if !ok {
			return
		}
		if n != seen {
			if _, err := fmt.Fprintf(w, "data: %d\n\n", n); err != nil {
				return
			}
			if err := c.Flush(); err != nil {
				return
			}
			seen = n
		}
		select {
		case <-next:
		case <-r.Context().Done():
			return
		case <-p.s.pump.ctx.Done():
			return
		}
	}
}

// picture fetches the picture of a message, as Meta fetches it for its phones.
func (p *phone) picture(w http.ResponseWriter, r *http.Request) {
	seq, _ := strconv.Atoi(r.PathValue("seq"))
	address := p.s.image(r.PathValue("page"), r.PathValue("psid"), seq)
	if address == "" {
		http.NotFound(w, r)
		return
	}
	req, err := http.NewRequestWithContext(r.Context(), http.MethodGet, address, nil)
	if err != nil {
		http.Error(w, "no address", http.StatusBadGateway)
		return
	}
	res, err := p.client.Do(req)
	if err != nil {
		http.Error(w, "the picture could not be fetched", http.StatusBadGateway)
		return
	}
	defer res.Body.Close()
	media := res.Header.Get("Content-Type")
	if res.StatusCode != http.StatusOK || media != "image/png" && media != "image/jpeg" {
		http.Error(w, "the address answers with no picture: "+res.Status, http.StatusBadGateway)
		return
	}
	w.Header().Set("Content-Type", media)
	_, _ = io.Copy(w, io.LimitReader(res.Body, pictureBytes))
}

func (p *phone) say(w http.ResponseWriter, r *http.Request) {
	p.act(w, r, "text", func(page, psid, text string) error {
		_, err := p.s.Say(page, psid, text)
		return err
	})
}

func (p *phone) tap(w http.ResponseWriter, r *http.Request) { p.act(w, r, "payload", p.s.Tap) }

// act does what a form asks for and shows the conversation again.
func (p *phone) act(w http.ResponseWriter, r *http.Request, field string, do func(page, psid, value string) error) {
	r.Body = http.MaxBytesReader(w, r.Body, 16<<10)
	value := strings.TrimSpace(r.PostFormValue(field))
	if value == "" {
		http.Error(w, field+" is missing", http.StatusBadRequest)
		return
	}
	page, psid := r.PathValue("page"), r.PathValue("psid")
	if err := do(page, psid, value); err != nil {
		http.NotFound(w, r)
		return
	}
	http.Redirect(w, r, pathOf(page, psid), http.StatusSeeOther)
}
