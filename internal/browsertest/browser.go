package browsertest

import (
	"context"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/performance"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// patience is how long one step may take on a busy machine.
const patience = 60 * time.Second

// flags keep Chromium from talking to anybody but the page's own server, and let it draw maps without a graphics card.
var flags = map[string]any{
	"disable-quic": true, "disable-background-networking": true, "disable-component-update": true, "disable-sync": true,
	"disable-default-apps": true, "no-first-run": true, "use-gl": "angle", "use-angle": "swiftshader",
	"enable-unsafe-swiftshader": true, "force-color-profile": "srgb", "hide-scrollbars": true,
}

// Page is one tab of a browser of its own. Its methods fail the test when they cannot do what they are asked; they
// are called from the test's goroutine only.
type Page struct {
	t   testing.TB
	ctx context.Context

	mu       sync.Mutex // guards what follows, which the tab's events write
	problems []string
	received int64
}

// Open starts a browser until the test ends, with a window of that size in pixels. It skips the test when there is
// no Chromium.
func Open(t testing.TB, width, height int) *Page {
	t.Helper()
	options := []chromedp.ExecAllocatorOption{chromedp.ExecPath(program(t)), chromedp.Headless, chromedp.WindowSize(width, height)}
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox)
	}
	for name, value := range flags {
		options = append(options, chromedp.Flag(name, value))
	}
	allocator, closeAllocator := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(closeAllocator)
	ctx, closeTab := chromedp.NewContext(allocator)
	t.Cleanup(closeTab)
	p := &Page{t: t, ctx: ctx}
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(int64(width), int64(height))); err != nil {
		t.Fatalf("browser: %v", err)
	}
	if err := chromedp.Listen(ctx, p.heard); err != nil {
		t.Fatalf("browser: %v", err)
	}
	t.Cleanup(p.verdict)
	return p
}

// program is the browser's.
func program(t testing.TB) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Skip("no Chromium here: install the package chromium")
	return ""
}

// heard notes what a good page does not do. An answer with a status of 400 or more is the test's own business.
func (p *Page) heard(event any) {
	problem := ""
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		problem = "exception: " + e.ExceptionDetails.Text
		if e.ExceptionDetails.Exception != nil {
			problem += " " + e.ExceptionDetails.Exception.Description
		}
	case *cdplog.EventEntryAdded:
		if e.Entry.Level == "error" && e.Entry.Source != "network" {
			problem = "console: " + e.Entry.Text
		}
	case *network.EventDataReceived:
		p.mu.Lock()
		p.received += e.EncodedDataLength
		p.mu.Unlock()
	case *network.EventRequestWillBeSent:
		if u, err := url.Parse(e.Request.URL); err == nil && strings.HasPrefix(u.Scheme, "http") && u.Hostname() != "127.0.0.1" {
			problem = "request to " + u.Host
		}
	}
	if problem != "" {
		p.mu.Lock()
		p.problems = append(p.problems, problem)
		p.mu.Unlock()
	}
}

func (p *Page) verdict() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, problem := range p.problems {
		p.t.Errorf("browser: %s", problem)
	}
}

// Run does one step and names it when it fails; what the page shows then is kept as a picture.
func Run[T any](p *Page, what string, step chromedp.Action[T]) T {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	v, err := chromedp.Run(ctx, step)
	if err != nil {
		p.Shot("failed-" + strings.ReplaceAll(p.t.Name(), "/", "-"))
		p.t.Fatalf("browser: %s: %v", what, err)
	}
	return v
}

// Go opens an address.
func (p *Page) Go(address string) {
	p.t.Helper()
	Run(p, "open "+address, chromedp.Navigate(address))
}

// Click waits until something can be clicked, and clicks it.
func (p *Page) Click(css string) {
	p.t.Helper()
	Run(p, "click "+css, chromedp.Click(chromedp.CSS(css), chromedp.NodeVisible))
}

// Type puts text into a field, key by key, instead of what was in it.
func (p *Page) Type(css, text string) {
	p.t.Helper()
	Run(p, "wait for "+css, chromedp.WaitVisible(chromedp.CSS(css)))
	Eval[bool](p, "(e => (e.focus(), e.select(), true))(document.querySelector("+quote(css)+"))")
	Run(p, "type into "+css, chromedp.KeyEvent(text))
}

// Press sends keys to whatever has the focus.
func (p *Page) Press(keys string) {
	p.t.Helper()
	Run(p, "press a key", chromedp.KeyEvent(keys))
}

// ClickAt clicks a place of the window, in pixels.
func (p *Page) ClickAt(x, y float64) {
	p.t.Helper()
	Run(p, "click a place", chromedp.MouseClickXY(x, y))
}

// Wait waits until an expression of JavaScript is true; one that fails, say on an element that is not there yet, is
// not.
func (p *Page) Wait(expression string) {
	p.t.Helper()
	Run(p, "wait for "+expression, chromedp.Poll[bool]("(() => { try { return !!("+expression+") } catch { return false } })()", chromedp.WithPollingInterval(50*time.Millisecond), chromedp.WithPollingTimeout(patience)))
}

// WaitText waits until the part of the page that css names says something.
func (p *Page) WaitText(css, text string) {
	p.t.Helper()
	p.Wait("[...document.querySelectorAll(" + quote(css) + ")].some(e => e.textContent.includes(" + quote(text) + "))")
}

// Arrive waits until the page that a click leads to says something. That the page before it goes away meanwhile is no
// failure, as it would be for Wait.
func (p *Page) Arrive(css, text string) {
	p.t.Helper()
	says := "[...document.querySelectorAll(" + quote(css) + ")].some(e => e.textContent.includes(" + quote(text) + "))"
	for deadline := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		ctx, cancel := context.WithTimeout(p.ctx, patience)
		there, err := chromedp.Run(ctx, chromedp.Evaluate[bool](says))
		cancel()
		if err == nil && there {
			return
		}
		if time.Now().After(deadline) {
			p.Shot("failed-" + strings.ReplaceAll(p.t.Name(), "/", "-"))
			p.t.Fatalf("browser: never arrived at a page whose %s says %q: %v", css, text, err)
		}
	}
}

// Eval returns the value of an expression.
func Eval[T any](p *Page, expression string) T {
	p.t.Helper()
	return Run(p, "evaluate "+expression, chromedp.Evaluate[T](expression))
}

// Metrics are the browser's own figures of the page, such as ScriptDuration in seconds, and Received, the bytes that came.
func (p *Page) Metrics() map[string]float64 {
	p.t.Helper()
	all := map[string]float64{}
	found := Run(p, "read metrics", func(ctx context.Context, t *chromedp.Target) (performance.GetMetricsResult, error) {
		if _, err := cdp.Call(ctx, t, performance.Enable, performance.EnableParams{}); err != nil {
			return performance.GetMetricsResult{}, err
		}
		return cdp.Call(ctx, t, performance.GetMetrics, cdp.Empty{})
	})
	for _, m := range found.Metrics {
		all[m.Name] = m.Value
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	all["Received"] = float64(p.received)
	return all
}

// Upload gives files to a file field.
func (p *Page) Upload(css string, files ...string) {
	p.t.Helper()
	Run(p, "give files to "+css, chromedp.SetUploadFiles(chromedp.CSS(css), files))
}

// Resize changes the window, as when a phone shows the page.
func (p *Page) Resize(width, height int) {
	p.t.Helper()
	Run(p, "resize", chromedp.EmulateViewport(int64(width), int64(height)))
}

// Shot keeps a picture of the page for people to look at: in the directory OUTRIDER_SCREENSHOTS, else nowhere.
func (p *Page) Shot(name string) {
	p.t.Helper()
	dir := os.Getenv("OUTRIDER_SCREENSHOTS")
	if dir == "" {
		return
	}
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	png, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, name+".png"), png, 0o644)
	}
	if err != nil {
		p.t.Errorf("browser: picture %s: %v", name, err)
	}
}

// quote writes a text as JavaScript does; the tests' texts are plain.
func quote(s string) string {
	return "'" + strings.ReplaceAll(strings.ReplaceAll(s, `\`, `\\`), "'", `\'`) + "'"
}
