package codec

import (
	"math"
	"strconv"
	"testing"

	"pgregory.net/rapid"
)

// Whatever is read quickly is the number that strconv reads, to the last bit.
func FuzzDecimal(f *testing.F) {
	for _, text := range []string{
		"0", "-0", "-0.0", "00", "1.", ".5", "-", "-.5", "+1", "", "1.2.3", "1e3", "0x1p-2", "1_0", "NaN", "48.1374301", "-11.5754901",
		"1767225600.123", "9007199254740992", "9007199254740993", "0.9007199254740993", "0.0000000000000000000001", "0.00000000000000000000001",
	} {
		f.Add(text)
	}
	f.Fuzz(checkDecimal)
}

func checkDecimal(t *testing.T, text string) {
	n, ok := decimal([]byte(text))
	if !ok {
		return
	}
	want, err := strconv.ParseFloat(text, 64)
	if err != nil || math.Float64bits(n) != math.Float64bits(want) {
		t.Errorf("%q: %v, strconv says %v, %v", text, n, want, err)
	}
}

func TestDecimalIsExact(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		text := strconv.FormatFloat(rapid.Float64Range(-1e10, 1e10).Draw(r, "n"), 'f', rapid.IntRange(0, 12).Draw(r, "digits"), 64)
		checkDecimal(t, text)
	})
	for _, text := range []string{"48.1374301", "-11.5", "1767225600.123", "0", "-0"} { // or nothing was tested
		if _, ok := decimal([]byte(text)); !ok {
			t.Errorf("%s is not read quickly", text)
		}
	}
}

func BenchmarkParseFloat(b *testing.B) {
	text := []byte("48.1374301")
	b.Run("here", func(b *testing.B) {
		for b.Loop() {
			_, _ = parseFloat(text)
		}
	})
	b.Run("strconv", func(b *testing.B) {
		for b.Loop() {
			_, _ = strconv.ParseFloat(string(text), 64)
		}
	})
}
