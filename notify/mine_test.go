package notify_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"outrider/identity"
	"outrider/notify"
)

// A process sends for the pages that are its own, and for another one as soon as it is.
func TestPagesOfOtherProcessesAreLeftAlone(t *testing.T) {
	t.Parallel()
	var all atomic.Bool
	mine := func(page identity.PageID) bool { return page == "111" || all.Load() }
	run(t, func(o *notify.DispatcherOptions) { o.Mine = mine }, func(r *rig) {
		r.open("111", "ann")
		r.open("222", "bob")
		r.put("one", "111", "ann")
		r.put("two", "222", "bob")
		pass(5 * time.Second)
		r.want("one", "sent window")
		r.want("two", "pending")
		all.Store(true)
		pass(5 * time.Second)
		r.want("two", "sent window")
	})
}

// A page that becomes another process's while a message is under way gets no other one from here.
func TestAPageThatIsGivenUpIsFinished(t *testing.T) {
	t.Parallel()
	var given atomic.Bool
	change := func(o *notify.DispatcherOptions) {
		o.InFlight, o.Mine = 1, func(identity.PageID) bool { return !given.Load() }
	}
	run(t, change, func(r *rig) {
		r.sender.Answer = slowly(func(context.Context, notify.Message) error { return nil })
		r.open("111", "ann")
		r.open("111", "bob")
		r.put("one", "111", "ann")
		r.put("two", "111", "bob")
		synctest.Wait()
		given.Store(true)
		pass(time.Minute)
		r.want("one", "sent window")
		r.want("two", "pending")
	})
}

// waiting is something that was said, until it is heard.
type waiting struct {
	word notify.Said
	gone atomic.Bool
}

// Unheard implements notify.Talk.
func (w *waiting) Unheard(context.Context, uint64, int) ([]notify.Said, error) {
	if w.gone.Load() {
		return nil, nil
	}
	return []notify.Said{w.word}, nil
}

// Heard implements notify.Talk.
func (w *waiting) Heard(context.Context, ...uint64) error {
	w.gone.Store(true)
	return nil
}

// hearing counts what it hears.
type hearing struct{ atomic.Int32 }

// Hear implements notify.Listener.
func (h *hearing) Hear(context.Context, notify.Said) error {
	h.Add(1)
	return nil
}

func TestWhatIsSaidToPagesOfOtherProcessesIsLeftToThem(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var h hearing
		reader, err := notify.NewReader(notify.ReaderOptions{
			Talk: &waiting{word: notify.Said{Seq: 1, Page: "222", PSID: "bob", At: time.Now()}}, Listener: &h, Now: time.Now,
			Mine: func(page identity.PageID) bool { return page == "111" }, Tick: time.Second,
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := reader.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		pass(5 * time.Second)
		if err := reader.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		if h.Load() > 0 {
			t.Error("another process's page was answered")
		}
	})
}
