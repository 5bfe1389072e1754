package graph_test

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"outrider/internal/browsertest"
	"outrider/simulator/graph"
)

// phones is a sandbox behind a real listener, with two people on a page and a gateway's picture beside it.
type phones struct {
	*graph.Sandbox
	url      string
	pictures string
}

func newPhones(t *testing.T) phones {
	t.Helper()
	s := graph.New(graph.Options{})
	s.AddPage("500", "Fleet <b>", "page-token")
	for psid, name := range map[string]string{"7001": "Ann", "7002": "Bob & co"} {
		if err := s.AddPerson("500", psid, name); err != nil {
			t.Fatal(err)
		}
	}
	server := httptest.NewServer(s)
	pictures := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/map.png" {
			_, _ = io.WriteString(w, "<script>no picture</script>")
			return
		}
		img := image.NewRGBA(image.Rect(0, 0, 1146, 600))
		for i := range img.Pix {
			img.Pix[i] = color.RGBA{0x9f, 0xd9, 0xb0, 0xff}.G
		}
		w.Header().Set("Content-Type", "image/png")
		_ = png.Encode(w, img)
	}))
	t.Cleanup(func() { pictures.Close(); _ = s.Close(); server.CloseClientConnections(); server.Close() })
	return phones{s, server.URL, pictures.URL}
}

// send posts to the Send API.
func (p phones) send(t *testing.T, psid, message string) {
	t.Helper()
	q := url.Values{"access_token": {"page-token"}, "appsecret_proof": {graph.Proof(p.AppSecret(), "page-token")}}
	body := `{"recipient":{"id":"` + psid + `"},"messaging_type":"UPDATE","message":` + message + `}`
	res, err := http.Post(p.url+"/v26.0/500/messages?"+q.Encode(), "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if said, _ := io.ReadAll(res.Body); res.StatusCode != 200 {
		t.Fatalf("send: %s: %s", res.Status, said)
	}
}

func (p phones) cardMessage(image string) string {
	return `{"attachment":{"type":"template","payload":{"template_type":"generic","elements":[{"title":"Van 12 left Depot North","subtitle":"08:42, after 2 hours inside",
		"image_url":"` + p.pictures + image + `","buttons":[{"type":"postback","title":"Where is it now?","payload":"WHERE:12"},
		{"type":"postback","title":"Mute for 1 hour","payload":"MUTE:12:3600"},{"type":"web_url","title":"Open map","url":"https://example.test/x"}]}]}}}`
}

func (p phones) get(t *testing.T, path string) (int, http.Header, string) {
	t.Helper()
	res, err := http.Get(p.url + path)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, res.Header, string(body)
}

// Without script and without browser: forms do what taps do, and names are text, not markup.
func TestPhoneWithoutScript(t *testing.T) {
	t.Parallel()
	p := newPhones(t)
	status, header, list := p.get(t, "/phone")
	if status != 200 || !strings.Contains(list, "Bob &amp; co") || !strings.Contains(list, `href="/phone/500/7001"`) ||
		!strings.Contains(header.Get("Content-Security-Policy"), "default-src 'none'") {
		t.Errorf("list: %d %v\n%s", status, header, list)
	}
	res, err := http.PostForm(p.url+"/phone/500/7001/say", url.Values{"text": {"where is my <van>?"}})
	if err != nil || res.StatusCode != 200 || !strings.HasSuffix(res.Request.URL.Path, "/phone/500/7001") {
		t.Fatalf("say: %v %v", res, err)
	}
	res.Body.Close()
	p.send(t, "7001", p.cardMessage("/map.png"))
	p.send(t, "7001", `{"text":"Choose","quick_replies":[{"content_type":"text","title":"Van 12","payload":"WHERE:12"}]}`)
	_, _, thread := p.get(t, "/phone/500/7001")
	for _, want := range []string{"where is my &lt;van&gt;?", "Fleet &lt;b&gt;", "Van 12 left Depot North", `value="MUTE:12:3600"`,
		`src="/phone/500/7001/picture/1"`, `rel="noopener noreferrer"`, `<button data-key="2-0">Van 12</button>`, "24 hour window open"} {
		if !strings.Contains(thread, want) {
			t.Errorf("the thread lacks %s", want)
		}
	}
	if res, err = http.PostForm(p.url+"/phone/500/7001/tap", url.Values{"payload": {"WHERE:12"}}); err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if _, _, thread = p.get(t, "/phone/500/7001"); strings.Contains(thread, `data-key="2-0"`) {
		t.Error("quick replies stay after the answer")
	}
	status, header, body := p.get(t, "/phone/500/7001/picture/1")
	if _, err := png.Decode(bytes.NewReader([]byte(body))); status != 200 || err != nil || header.Get("Content-Type") != "image/png" {
		t.Errorf("picture: %d %v %v", status, header, err)
	}
}

func TestPhoneRefuses(t *testing.T) {
	t.Parallel()
	p := newPhones(t)
	if _, err := p.Say("500", "7001", "hello"); err != nil {
		t.Fatal(err)
	}
	p.send(t, "7001", p.cardMessage("/page.html"))
	for path, want := range map[string]int{
		"/phone/500/7009": 404, "/phone/501/7001": 404, "/phone/500/7001/picture/2": 404, "/phone/500/7002/picture/1": 404,
		"/phone/500/7001/picture/x": 404, "/phone/500/7001/picture/1": 502, "/phone/other.js": 404, "/phonebook": 400,
	} {
		if got, _, _ := p.get(t, path); got != want {
			t.Errorf("%s: %d, want %d", path, got, want)
		}
	}
	for what, c := range map[string]struct {
		path, body, origin string
		want               int
	}{
		"nothing said":   {"/phone/500/7001/say", "text=+", "", 400},
		"a stranger":     {"/phone/500/7009/say", "text=x", "", 404},
		"another origin": {"/phone/500/7001/say", "text=x", "https://evil.example", 403},
	} {
		req, _ := http.NewRequest(http.MethodPost, p.url+c.path, strings.NewReader(c.body))
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if c.origin != "" {
			req.Header.Set("Origin", c.origin)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != c.want {
			t.Errorf("%s: %d, want %d", what, res.StatusCode, c.want)
		}
	}
}

// In a real browser, as small as a phone: choose a person, write, see the card come without a reload, tap it, answer.
func TestPhoneInABrowser(t *testing.T) {
	t.Parallel()
	p := newPhones(t)
	b := browsertest.Open(t, 390, 800)
	b.Go(p.url + "/phone")
	b.Shot("phone-people")
	b.Go(p.url + browsertest.Eval[string](b, `document.querySelector("li:first-child a").getAttribute("href")`))
	b.WaitText("#state", "24 hour window closed")
	b.Type("#text", "Hello, where is my van?")
	b.Click("footer button")
	b.WaitText("#turns", "Hello, where is my van?")
	b.WaitText("#state", "24 hour window open until")
	p.send(t, "7001", p.cardMessage("/map.png"))
	b.WaitText("#turns", "Van 12 left Depot North")
	b.Wait(`document.querySelector("img").complete && document.querySelector("img").naturalWidth === 1146`)
	b.Shot("phone-card")
	b.Click(`button[data-key="1-0"]`)
	b.WaitText("li.mine:last-child", "Where is it now?")
	p.send(t, "7001", `{"text":"Which one?","quick_replies":[{"content_type":"text","title":"Van 12","payload":"WHERE:12"},{"content_type":"text","title":"Van 13","payload":"WHERE:13"}]}`)
	b.WaitText("#replies", "Van 13")
	b.Shot("phone-replies")
	b.Click(`#replies form:nth-child(2) button`)
	b.WaitText("li.mine:last-child", "Van 13")
	b.Wait(`document.querySelectorAll("#replies button").length === 0`)
	b.Wait(`document.documentElement.scrollWidth <= window.innerWidth`)
	small := browsertest.Eval[[]string](b, `[...document.querySelectorAll("button, a, footer input")].filter(e => e.getBoundingClientRect().height < 43.5).map(e => e.outerHTML)`)
	nameless := browsertest.Eval[[]string](b, `[...document.querySelectorAll("button, a, input:not([type=hidden]), img")].filter(e => !(e.innerText || e.alt || e.ariaLabel || e.labels?.length)).map(e => e.outerHTML)`)
	if len(small)+len(nameless) > 0 {
		t.Errorf("too small to tap: %v; without a name: %v", small, nameless)
	}
	b.Shot("phone-end")
}
