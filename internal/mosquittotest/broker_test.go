package mosquittotest_test

import (
	"strings"
	"testing"

	"outrider/internal/mosquittotest"
)

func TestBrokerUpAndDown(t *testing.T) {
	t.Parallel()
	b := mosquittotest.New(t, mosquittotest.Persistent())
	at := mosquittotest.At(t, b.URL())
	mosquittotest.Pub(t, append(at, "-q", "1", "-t", "a", "-m", "x")...)
	for _, end := range []func(){b.Down, b.Kill} {
		end()
		end() // a second time does nothing
		if out, err := mosquittotest.TryPub(t, append(at, "-t", "a", "-m", "x")...); err == nil {
			t.Errorf("published to a broker that is down: %s", out)
		}
		b.Up()
		b.Up()
		mosquittotest.Pub(t, append(at, "-q", "1", "-t", "a", "-m", "x")...)
	}
}

func TestStart(t *testing.T) {
	t.Parallel()
	url := mosquittotest.Start(t)
	if !strings.HasPrefix(url, "tcp://127.0.0.1:") {
		t.Errorf("url %q", url)
	}
	mosquittotest.Pub(t, append(mosquittotest.At(t, url), "-t", "a", "-m", "x")...)
}
