package console

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"outrider/internal/people"
	"outrider/store"
)

const (
	sessionPath  = "/api/v1/session"
	sessionsPath = "/api/v1/sessions"
	cookieName   = "outrider_session"

	// signInOperation is the one operation that takes no key.
	signInOperation = "sign-in"
)

// sessions signs people in and out.
type sessions struct {
	store   People
	hasher  *people.Hasher
	now     func() time.Time
	secure  bool // cookies come back over TLS only
	guesses *guesses
	logger  *slog.Logger
}

// signIn is what somebody signs in with.
type signIn struct {
	User     string `json:"user" minLength:"1" maxLength:"128"`
	Password secret `json:"password" writeOnly:"true"`
}

// signedIn is the answer to it.
type signedIn struct {
	Cookie string `header:"Set-Cookie" doc:"The session, for a browser."`
	Body   self
}

// newPassword is a change of one's own password.
type newPassword struct {
	Current secret `json:"current" writeOnly:"true"`
	New     secret `json:"new" writeOnly:"true" doc:"12 to 128 characters."`
}

func registerSessions(r *router, o Options, hasher *people.Hasher) sessions {
	s := sessions{store: o.Store, hasher: hasher, now: o.Now, secure: o.SecureCookies, guesses: newGuesses(o.Now), logger: o.Logger}
	handle(r, huma.Operation{
		OperationID: signInOperation, Method: http.MethodPost, Path: sessionPath, Tags: []string{tagAccess}, DefaultStatus: http.StatusOK,
		Summary: "Sign in", Description: "With a name and a password. The answer's cookie is the session; a program uses a key instead. " +
			"After many wrong passwords for a name, or from an address, it answers 429 for a while.",
		Errors: []int{http.StatusTooManyRequests},
	}, s.signIn)
	handle(r, huma.Operation{
		OperationID: "sign-out", Method: http.MethodDelete, Path: sessionPath, Tags: []string{tagAccess}, DefaultStatus: http.StatusNoContent,
		Summary: "Sign out",
	}, s.signOut)
	handle(r, huma.Operation{
		OperationID: "sign-out-everywhere", Method: http.MethodDelete, Path: sessionsPath, Tags: []string{tagAccess},
		DefaultStatus: http.StatusNoContent, Summary: "Sign out everywhere", Description: "Ends all of your sessions, this one too.",
	}, s.signOutEverywhere)
	handle(r, huma.Operation{
		OperationID: "change-password", Method: http.MethodPost, Path: sessionPath + "/password", Tags: []string{tagAccess},
		DefaultStatus: http.StatusOK, Summary: "Change your password", Description: "Ends all other sessions.",
		Errors: []int{http.StatusConflict, http.StatusTooManyRequests},
	}, s.changePassword)
	return s
}

// wrong is the one answer to a name or a password that is not right, or not any more.
func wrong() error {
	return problem(http.StatusUnauthorized, "the name or the password is not right")
}

func (s sessions) signIn(ctx context.Context, in *struct{ Body signIn }) (*signedIn, error) {
	id := userID(in.Body.User)
	if err := s.guesses.take(id, requestOf(ctx).address); err != nil {
		return nil, err
	}
	u, err := s.store.User(ctx, id)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	opens, err := s.hasher.Opens(ctx, u.Password, in.Body.Password.Token) // as long for nobody as for somebody
	if err != nil {
		return nil, err
	}
	if !opens || u.Disabled {
		s.logger.WarnContext(ctx, "sign-in refused", "request", requestOf(ctx).id, "address", requestOf(ctx).address)
		return nil, wrong()
	}
	s.guesses.right(id)
	return s.begin(ctx, u)
}

// begin starts a session for a person.
func (s sessions) begin(ctx context.Context, u people.User) (*signedIn, error) {
	ctx, cancel := settle(ctx)
	defer cancel()
	session, token := people.NewSession(u.ID, s.now())
	if err := s.store.BeginSession(ctx, session); err != nil {
		return nil, err
	}
	return &signedIn{s.cookie(ctx, token.Reveal(), int(people.SessionLife.Seconds())), self{Tenant: u.Tenant, Role: u.Role, Person: u.ID, Name: nameOf(u)}}, nil
}

// cookie is the header that keeps a session in the browser; with an age below zero it takes it away.
func (s sessions) cookie(ctx context.Context, token string, age int) string {
	c := http.Cookie{
		Name: cookieName, Value: token, Path: "/", MaxAge: age, HttpOnly: true, SameSite: http.SameSiteStrictMode,
		Secure: s.secure || requestOf(ctx).tls,
	}
	return c.String()
}

// signedOut is the answer that takes the session away.
type signedOut struct {
	Cookie string `header:"Set-Cookie"`
}

func (s sessions) signOut(ctx context.Context, _ *struct{}) (*signedOut, error) {
	out := &signedOut{s.cookie(ctx, "", -1)}
	hash := callerOf(ctx).session
	if hash == "" {
		return out, nil
	}
	ctx, cancel := settle(ctx)
	defer cancel()
	return out, s.store.EndSession(ctx, hash)
}

func (s sessions) signOutEverywhere(ctx context.Context, _ *struct{}) (*signedOut, error) {
	out, c := &signedOut{s.cookie(ctx, "", -1)}, callerOf(ctx)
	if c.person == "" {
		return out, nil
	}
	ctx, cancel := settle(ctx)
	defer cancel()
	return out, s.store.EndSessions(ctx, c.person)
}

func (s sessions) changePassword(ctx context.Context, in *struct{ Body newPassword }) (*signedIn, error) {
	c := callerOf(ctx)
	if c.person == "" {
		return nil, problem(http.StatusConflict, "a key has no password; sign in as a person")
	}
	id := c.person
	if err := s.guesses.take(id, requestOf(ctx).address); err != nil {
		return nil, err
	}
	u, err := s.store.User(ctx, id)
	if err != nil {
		return nil, err
	}
	opens, err := s.hasher.Opens(ctx, u.Password, in.Body.Current.Token)
	if err != nil {
		return nil, err
	}
	var f faults
	if !opens {
		f.add("body.current", nil, "expected your password as it is now")
	}
	if why := people.CheckPassword(in.Body.New.Token, id); why != "" {
		f.add("body.new", nil, "%s", why)
	}
	if err := f.problem(); err != nil {
		return nil, err
	}
	s.guesses.right(id)
	if u.Password, err = s.hasher.Hash(ctx, in.Body.New.Token); err != nil {
		return nil, err
	}
	settling, cancel := settle(ctx)
	defer cancel()
	if u, err = s.store.PutUser(settling, u, false, true); err != nil {
		return nil, err
	}
	return s.begin(ctx, u)
}

// userID is the id that somebody means who writes a name.
func userID(name string) people.UserID {
	return people.UserID(strings.ToLower(strings.TrimSpace(name)))
}

// slowDown is the answer to who asks too often.
func slowDown(after time.Duration) error {
	seconds := strconv.Itoa(max(1, int((after + time.Second - 1).Seconds())))
	return huma.ErrorWithHeaders(problem(http.StatusTooManyRequests, "too many tries; wait "+seconds+" s"), http.Header{"Retry-After": {seconds}})
}

// nameOf is what a person is called.
func nameOf(u people.User) string {
	if u.Name == "" {
		return string(u.ID)
	}
	return u.Name
}
