package graph

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// ErrCommand says that a line typed at the console is not understood.
var ErrCommand = errors.New("graph: want: say PAGE PSID TEXT, tap PAGE PSID PAYLOAD, follow PAGE PSID REF or read PAGE PSID")

// Serve answers on the listener until ctx ends, writes every message that people receive to out, and lets
// people act by the lines of in ("say 500 7001 hello"); in may be nil. It closes the listener.
func (s *Sandbox) Serve(ctx context.Context, listener net.Listener, in io.Reader, out io.Writer) error {
	lines := make(chan string, 64) // sent to by subscribers and the console, never closed
	defer s.Subscribe(func(m Message) {
		select {
		case lines <- m.line():
		case <-ctx.Done():
		}
	})()
	if in != nil {
		go s.obey(ctx, in, lines) // ends with ctx or its input; a blocked read cannot be ended
	}
	server := &http.Server{Handler: s, ReadHeaderTimeout: 5 * time.Second}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	for {
		select {
		case line := <-lines:
			fmt.Fprintln(out, line)
		case err := <-failed:
			return fmt.Errorf("graph: serve: %w", err)
		case <-ctx.Done():
			_ = server.Close()
			<-failed
			return nil
		}
	}
}

// line is a message in one line.
func (m Message) line() string {
	b := &strings.Builder{}
	fmt.Fprintf(b, "%s  %s  %-11s %s", m.Time.Format(time.TimeOnly), m.PSID, m.Type, strings.ReplaceAll(m.Text, "\n", " / "))
	for _, button := range m.Buttons {
		fmt.Fprintf(b, "  [%s]", button.Title)
	}
	return b.String()
}

// obey runs commands until the input ends.
func (s *Sandbox) obey(ctx context.Context, in io.Reader, lines chan<- string) {
	scanner := bufio.NewScanner(in)
	for scanner.Scan() {
		err := s.Command(scanner.Text())
		if err == nil {
			continue
		}
		select {
		case lines <- err.Error():
		case <-ctx.Done():
			return
		}
	}
}

// Command lets a person act as one line says: "say PAGE PSID TEXT", "tap PAGE PSID PAYLOAD",
// "follow PAGE PSID REF", "read PAGE PSID".
func (s *Sandbox) Command(line string) error {
	words := strings.SplitN(strings.TrimSpace(line), " ", 4)
	if len(words) < 3 || len(words) < 4 && words[0] != "read" {
		return ErrCommand
	}
	page, psid := words[1], words[2]
	switch words[0] {
	case "say":
		_, err := s.Say(page, psid, words[3])
		return err
	case "tap":
		return s.Tap(page, psid, words[3])
	case "follow":
		return s.Follow(page, psid, words[3])
	case "read":
		return s.Read(page, psid)
	}
	return ErrCommand
}
