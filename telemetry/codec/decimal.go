package codec

import "strconv"

// powersOfTen are exact.
var powersOfTen = [...]float64{
	1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
}

// mostExact is the largest whole number up to which every one is a float64.
const mostExact = 1 << 53

// parseFloat is strconv.ParseFloat of 64 bits.
//
// PERF: what trackers send, digits with a point among them, is a whole number divided by a power of ten. Where both are exact
// the division rounds as IEEE 754 says, which is what strconv gives, in a third of the time.
func parseFloat(text []byte) (float64, error) {
	if n, ok := decimal(text); ok {
		return n, nil
	}
	return strconv.ParseFloat(string(text), 64)
}

// decimal reads digits, perhaps with a minus before and a point among them; false for any other form and for numbers of more
// than about 15 digits.
func decimal(text []byte) (float64, bool) {
	i, negative := 0, len(text) > 0 && text[0] == '-'
	if negative {
		i++
	}
	whole, point := uint64(0), -1
	for begin := i; i < len(text); i++ {
		switch c := text[i]; {
		case '0' <= c && c <= '9':
			if whole = 10*whole + uint64(c-'0'); whole > mostExact {
				return 0, false
			}
		case c == '.' && point < 0 && i > begin:
			point = i
		default:
			return 0, false
		}
	}
	digits := 0 // behind the point
	if point >= 0 {
		digits = len(text) - point - 1
	}
	last := len(text) - 1
	if last < 0 || text[last] < '0' || text[last] > '9' || digits >= len(powersOfTen) {
		return 0, false
	}
	n := float64(whole) / powersOfTen[digits]
	if negative {
		n = -n
	}
	return n, true
}
