// Command lex-fulfillment is the AWS Lambda function that Amazon Lex calls: it passes the event on to the gateway and
// gives back what the gateway answers. Its environment says where:
//
//	OUTRIDER_URL      https://… of the gateway
//	OUTRIDER_LEX_KEY  the gateway's setting lex.key
//
// When the gateway does not answer in time, people read an apology, and the log says why.
//
// "lex-fulfillment bot FILE.zip" writes the definition of the bot instead, for Lex to import; "bot-recognize" that of a
// bot which the gateway itself asks, without a function.
package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"outrider/chat/lex"
	"outrider/identity"
)

// patience is how long the gateway may take: people are waiting.
const patience = 8 * time.Second

func main() {
	if len(os.Args) == 3 && (os.Args[1] == "bot" || os.Args[1] == "bot-recognize") {
		if err := writeBot(os.Args[2], os.Args[1] == "bot"); err != nil {
			fmt.Fprintln(os.Stderr, "lex-fulfillment:", err)
			os.Exit(1)
		}
		return
	}
	logger := slog.New(slog.NewJSONHandler(os.Stderr, nil))
	forward, err := lex.NewForwarder(lex.ForwarderOptions{
		URL: os.Getenv("OUTRIDER_URL"), Key: identity.NewToken(os.Getenv("OUTRIDER_LEX_KEY")),
		HTTP: &http.Client{Timeout: patience}, Logger: logger,
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, "lex-fulfillment:", err)
		os.Exit(1)
	}
	lambda.Start(forward.Invoke)
}

func writeBot(name string, fulfilled bool) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	return errors.Join(lex.WriteBot(f, fulfilled), f.Close())
}
