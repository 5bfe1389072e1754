// Command gateway is the Outrider gateway: fixes come in over MQTT, crossings of geofences go out as Messenger
// messages.
//
//	gateway demo       everything embedded, with a Graph sandbox and a simulated fleet
//	gateway serve      the gateway
//	gateway check      check the settings and reach every dependency
//	gateway replay     run recorded fixes through the engine
//	gateway migrate    bring the store to this version
//	gateway version    print the version
//
// Each command explains itself with --help.
package main
