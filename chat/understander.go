package chat

import "context"

// Understander finds out what a person means in another way than the built-in grammar, such as Amazon Lex. It must be
// safe for many goroutines.
type Understander interface {
	// Recognize is asked of what a person typed. language is one of [Languages]. An error means that it could not be
	// found out in time; the built-in grammar is used instead.
	Recognize(ctx context.Context, m Message, language string) (Recognized, error)
}

// Recognized is what an [Understander] made of a message. The zero value: nothing.
type Recognized struct {
	Intent  Intent
	Vehicle string   // name that was said
	Words   []string // what else was said over several messages, such as a span of time
	Say     *Reply   // it answers by itself, such as with a question of its own; nil: it does not
}

// Echo is the intent of a button that an [Understander] made: what it sends back is for the understander, as if typed.
const Echo Intent = "SAY"
