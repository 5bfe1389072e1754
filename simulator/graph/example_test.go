package graph_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"outrider/simulator/graph"
)

// A page answers a person who has just written, inside the 24 hour window.
func Example() {
	sandbox := graph.New(graph.Options{AppSecret: "secret"})
	defer sandbox.Close()
	sandbox.AddPage("500", "Fleet", "page-token")
	_ = sandbox.AddPerson("500", "7001", "Ann")
	_, _ = sandbox.Say("500", "7001", "where is my car?")

	client := &http.Client{Transport: sandbox.Transport()}
	query := url.Values{"access_token": {"page-token"}, "appsecret_proof": {graph.Proof("secret", "page-token")}}
	resp, err := client.Post("https://graph.facebook.com/v26.0/500/messages?"+query.Encode(), "application/json",
		strings.NewReader(`{"recipient":{"id":"7001"},"messaging_type":"RESPONSE","message":{"text":"At the depot."}}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resp.Body.Close()

	fmt.Println(resp.StatusCode, sandbox.Messages()[0].Text)
	// Output: 200 At the depot.
}
