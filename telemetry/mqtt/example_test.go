package mqtt_test

import (
	"context"
	"fmt"
	"log"

	paho "github.com/eclipse/paho.mqtt.golang"

	"outrider/telemetry"
	"outrider/telemetry/mqtt"
)

// printer is a sink that prints. A real one makes the messages durable before it returns.
type printer struct{}

func (printer) Accept(_ context.Context, batch []telemetry.Message) error {
	for _, m := range batch {
		fmt.Printf("%s: %s\n", m.Topic, m.Payload)
	}
	return nil
}

func ExampleEndpoint() {
	ctx := context.Background()
	endpoint, err := mqtt.NewEndpoint(mqtt.EndpointOptions{Listen: "127.0.0.1:0", Sink: printer{}})
	if err != nil {
		log.Fatal(err)
	}
	if err := endpoint.Start(ctx); err != nil {
		log.Fatal(err)
	}
	defer endpoint.Stop(ctx)

	// Any MQTT client can publish now.
	tracker := paho.NewClient(paho.NewClientOptions().AddBroker("tcp://" + endpoint.Addr().String()).SetClientID("van-1"))
	tracker.Connect().Wait()
	published := tracker.Publish("fleet/acme/van-1/fix", 1, false, `{"t":1767225600,"lat":48.1,"lon":11.5}`)
	published.Wait() // the sink has accepted it
	fmt.Println("acknowledged:", published.Error() == nil)
	tracker.Disconnect(100)
	// Output:
	// fleet/acme/van-1/fix: {"t":1767225600,"lat":48.1,"lon":11.5}
	// acknowledged: true
}

func ExampleClient() {
	ctx := context.Background()
	client, err := mqtt.NewClient(mqtt.ClientOptions{
		URL: "ssl://broker.example.com:8883", Username: "outrider", Password: func() string { return "from a secret store" },
		ClientID: "outrider", Topics: []string{"fleet/+/+/fix"}, Sink: printer{},
	})
	if err != nil {
		log.Fatal(err)
	}
	if err := client.Start(ctx); err != nil { // connects in the background
		log.Fatal(err)
	}
	defer client.Stop(ctx) // what was accepted is acknowledged, the broker keeps the rest
}
