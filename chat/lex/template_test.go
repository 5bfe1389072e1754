package lex_test

import (
	"os"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// The template runs the program that is built, on the runtime it is built for, and gives nobody but the bot's alias the
// right to call it.
func TestTemplate(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../deployments/lex/template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var doc map[string]any
	if err := yaml.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	at := func(path string) any {
		var v any = doc
		for step := range strings.SplitSeq(path, ".") {
			m, _ := v.(map[string]any)
			v = m[step]
		}
		return v
	}
	const function, permission = "Resources.Fulfillment.Properties.", "Resources.LexMayInvoke.Properties."
	for path, want := range map[string]any{
		function + "Runtime":                                "provided.al2023",
		function + "Handler":                                "bootstrap",
		function + "CodeUri":                                "../../bin/lex-fulfillment.zip",
		function + "Policies":                               nil, // the role has what there is
		function + "Role":                                   "FulfillmentRole.Arn",
		function + "LoggingConfig.LogGroup":                 "FulfillmentLog",
		function + "Environment.Variables.OUTRIDER_URL":     "GatewayURL",
		function + "Environment.Variables.OUTRIDER_LEX_KEY": "LexKey",
		"Parameters.LexKey.NoEcho":                          true,
		permission + "Principal":                            "lexv2.amazonaws.com",
		permission + "Action":                               "lambda:InvokeFunction",
		permission + "SourceArn":                            "BotAliasArn",
	} {
		if got := at(path); got != want {
			t.Errorf("%s is %v, want %v", path, got, want)
		}
	}
	// Its own log, and nothing else.
	policies, _ := at("Resources.FulfillmentRole.Properties.Policies").([]any)
	if len(policies) != 1 {
		t.Fatalf("the role has %d policies", len(policies))
	}
	written, err := yaml.Marshal(policies[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"- logs:CreateLogStream\n", "- logs:PutLogEvents\n", "Resource: FulfillmentLog.Arn\n"} {
		if !strings.Contains(string(written), want) {
			t.Errorf("the role lacks %q:\n%s", want, written)
		}
	}
	if n := strings.Count(string(written), "Effect:"); n != 1 || strings.Contains(string(written), "*") || strings.Count(string(written), "logs:") != 2 {
		t.Errorf("the role may more than write its log:\n%s", written)
	}
}
