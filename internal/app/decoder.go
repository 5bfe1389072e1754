package app

import (
	"fmt"
	"os"

	"outrider/internal/config"
	"outrider/telemetry/codec"
)

// newDecoder is the decoder with the rules and formats of the settings. Errors name the setting.
func newDecoder(c config.MQTT) (*codec.Joiner, error) {
	inner, err := readDecoder(c)
	if err != nil {
		return nil, err
	}
	return codec.NewJoiner(inner, codec.JoinerOptions{}), nil
}

// readDecoder is the decoder without the joining.
func readDecoder(c config.MQTT) (*codec.Decoder, error) {
	o, err := decoderOptions(c)
	if err != nil {
		return nil, err
	}
	return codec.New(o), nil
}

func decoderOptions(c config.MQTT) (o codec.Options, err error) {
	if c.Mappings != "" {
		text, err := os.ReadFile(c.Mappings)
		if err != nil {
			return o, fmt.Errorf("app: mqtt.mappings: %w", err)
		}
		if o.Mappings, err = codec.ParseMappings(text); err != nil {
			return o, fmt.Errorf("app: mqtt.mappings: %s: %w", c.Mappings, err)
		}
	}
	if o.Topics, err = codec.ParseRules(c.Rules); err != nil {
		return o, fmt.Errorf("app: mqtt.rules: %w", err)
	}
	if err := o.Validate(); err != nil {
		return o, fmt.Errorf("app: mqtt.rules: %w", err)
	}
	return o, nil
}
