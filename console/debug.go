package console

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"io"
	"net/http"
)

// DebugFunc writes something about the process, as text, for those who run it.
type DebugFunc func(io.Writer) error

// serveDebug serves what only the bootstrap key opens: it is of the whole process, so that a tenant's key does not.
func serveDebug(all map[string]DebugFunc, k keys, mux *http.ServeMux) {
	for name, write := range all {
		mux.HandleFunc("GET /debug/"+name, func(w http.ResponseWriter, r *http.Request) {
			if !k.opens(w, r, "the bootstrap key", k.admin) {
				return
			}
			var text bytes.Buffer
			if err := write(&text); err != nil {
				writeProblem(w, unexpected(r.Context()))
				return
			}
			writeText(w, "text/plain; charset=utf-8", text.Bytes())
		})
	}
}

// opens lets a request through that carries one of the keys, given as hashes, and answers another.
func (k keys) opens(w http.ResponseWriter, r *http.Request, what string, own ...[sha256.Size]byte) bool {
	key := bearer(r)
	f := friend{addressOf(r), sha256.Sum256([]byte(key))}
	if key != "" && k.bearers.meet(f) != nil {
		refuse(w, problem(http.StatusTooManyRequests, "too many wrong keys came from this address; wait "+strangerWait+" s"))
		return false
	}
	right := 0
	for _, o := range own {
		right |= subtle.ConstantTimeCompare(f.key[:], o[:])
	}
	if key != "" {
		k.bearers.judge(f, right == 1)
	}
	if right == 0 {
		refuse(w, problem(http.StatusUnauthorized, "expected the header \"Authorization: Bearer <key>\" with "+what))
	}
	return right == 1
}
