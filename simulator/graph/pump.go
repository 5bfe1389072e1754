package graph

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// maxPosts is how many webhooks are under way at once.
const maxPosts = 16

// pump sends webhooks: one conversation's in order, each repeated until it is answered with 200.
type pump struct {
	options Options
	ctx     context.Context
	cancel  context.CancelFunc
	wg      sync.WaitGroup
	slots   chan struct{} // one element per POST under way
	changed *signal       // fires when an event is done with

	mu     sync.Mutex // guards what follows; no I/O under it
	url    string
	queues map[string]*queue
	counts WebhookCounts
	closed bool
}

// queue holds one conversation's events; a goroutine drains it while it has any.
type queue struct{ events []event }

// WebhookCounts tell what became of webhook events.
type WebhookCounts struct {
	Waiting int // queued or under way
	Sent    int // answered with 200; doubles count
	Failed  int // tries that were not
	Lost    int // did not fit into the queue, or faults lost them
}

func newPump(o Options) *pump {
	p := &pump{
		options: o, url: o.WebhookURL, queues: map[string]*queue{}, changed: newSignal(),
		slots: make(chan struct{}, maxPosts),
	}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	return p
}

// push queues an event. It never waits.
func (p *pump) push(e event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || p.counts.Waiting >= p.options.QueueLimit || e.lost(p.options.Seed) {
		p.counts.Lost++
		return
	}
	p.counts.Waiting++
	q := p.queues[e.thread]
	if q != nil {
		q.events = append(q.events, e)
		return
	}
	q = &queue{events: []event{e}}
	p.queues[e.thread] = q
	p.wg.Go(func() { p.drain(e.thread, q) })
}

// drain sends the events of one conversation until none is left.
func (p *pump) drain(thread string, q *queue) {
	for {
		e, ok := p.head(thread, q)
		if !ok {
			return
		}
		for range e.copies(p.options.Seed) {
			if !p.insist(e) {
				return
			}
		}
		p.mu.Lock()
		p.counts.Waiting--
		p.mu.Unlock()
		p.changed.fire()
	}
}

// head takes the next event, or the one after it when faults say so, and forgets a queue that is empty.
func (p *pump) head(thread string, q *queue) (event, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(q.events) == 0 || p.closed {
		delete(p.queues, thread)
		return event{}, false
	}
	if len(q.events) > 1 && !q.events[0].overtaken && q.events[0].late(p.options.Seed) {
		q.events[0].overtaken = true
		q.events[0], q.events[1] = q.events[1], q.events[0]
	}
	e := q.events[0]
	q.events = q.events[1:]
	return e, true
}

// insist posts an event until it is answered with 200. It reports false when the pump closed before.
func (p *pump) insist(e event) bool {
	if e.field == "message_echoes" && !p.sleep(e.faults.EchoDelay) {
		return false
	}
	body := e.encode(p.options.Seed)
	for wait := p.options.RetryMin; ; wait = min(2*wait, p.options.RetryMax) {
		err := p.try(body)
		p.count(err == nil)
		if err == nil {
			return true
		}
		p.options.Logger.Debug("webhook refused", slog.String("field", e.field), slog.Any("err", err))
		if !p.sleep(wait) {
			return false
		}
	}
}

func (p *pump) count(sent bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if sent {
		p.counts.Sent++
	} else {
		p.counts.Failed++
	}
}

// sleep waits and reports false when the pump closed before.
func (p *pump) sleep(d time.Duration) bool {
	if d <= 0 {
		return p.ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-p.ctx.Done():
		return false
	}
}

// try posts once.
func (p *pump) try(body []byte) error {
	select {
	case p.slots <- struct{}{}:
	case <-p.ctx.Done():
		return context.Cause(p.ctx)
	}
	defer func() { <-p.slots }()
	req, err := http.NewRequestWithContext(p.ctx, http.MethodPost, p.target(), bytes.NewReader(body))
	if err != nil {
		return err
	}
	sign(req.Header, p.options.AppSecret, body)
	resp, err := p.options.Client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, maxBody))
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("graph: webhook answered with %d", resp.StatusCode)
	}
	return nil
}

// sign adds the headers of a webhook; the newer signature is the one to check.
func sign(h http.Header, secret string, body []byte) {
	old, mac := hmac.New(sha1.New, []byte(secret)), hmac.New(sha256.New, []byte(secret))
	old.Write(body)
	mac.Write(body)
	h.Set("Content-Type", "application/json")
	h.Set("User-Agent", "facebookexternalua")
	h.Set("X-Hub-Signature", "sha1="+hex.EncodeToString(old.Sum(nil)))
	h.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac.Sum(nil)))
}

func (p *pump) target() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.url
}

func (p *pump) aim(url string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.url = url
}

func (p *pump) totals() WebhookCounts {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.counts
}

func (p *pump) close() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.cancel()
	p.wg.Wait()
}

// handshake asks the webhook to prove that it knows the verify token.
func (p *pump) handshake(ctx context.Context, url, verifyToken string) error {
	challenge := strconv.FormatUint(draw(p.options.Seed, "challenge", url)%1_000_000_000, 10)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return fmt.Errorf("graph: webhook %q: %w", url, err)
	}
	q := req.URL.Query()
	q.Set("hub.mode", "subscribe")
	q.Set("hub.verify_token", verifyToken)
	q.Set("hub.challenge", challenge)
	req.URL.RawQuery = q.Encode()
	resp, err := p.options.Client.Do(req)
	if err != nil {
		return fmt.Errorf("graph: webhook handshake: %w", err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1024))
	if err != nil || resp.StatusCode != http.StatusOK || string(body) != challenge {
		return fmt.Errorf("graph: webhook handshake: answered %d %q, want 200 %q", resp.StatusCode, body, challenge)
	}
	return nil
}
