package mqtt

import "fmt"

// ending says why a device connection ended. The list is closed: it is a metric label.
type ending string

// The endings.
const (
	endDisconnect  ending = "disconnect"     // the device said goodbye
	endLost        ending = "lost"           // the connection broke
	endKeepAlive   ending = "keep_alive"     // silent for longer than 1.5 times its keep-alive
	endTakenOver   ending = "taken_over"     // another connection came with the same client id
	endStopped     ending = "stopped"        // the endpoint stops
	endLimit       ending = "limit"          // too many connections
	endSilent      ending = "no_connect"     // no CONNECT within the time for it
	endVersion     ending = "version"        // a protocol version that is not spoken
	endIdentifier  ending = "identifier"     // a client id that cannot be
	endDenied      ending = "not_authorised" // wrong user name, password or certificate, or none
	endUnavailable ending = "unavailable"    // who it is cannot be told now
	endRevoked     ending = "revoked"        // its credential was revoked
	endRate        ending = "rate"           // too many connections of one address in a short time
	endMalformed   ending = "malformed"      // bytes that are no MQTT packet
	endProtocol    ending = "protocol"       // a packet that may not come here
	endTooLarge    ending = "too_large"      // a packet longer than the limit
	endQuota       ending = "quota"          // more QoS 2 messages at once than the receive maximum
	endAlias       ending = "topic_alias"    // a topic alias, of which none are granted
	endNotDurable  ending = "not_durable"    // the sink did not accept: the device shall send again
	endUnread      ending = "unread"         // the device does not read its acknowledgements
)

func endings() []ending {
	return []ending{
		endDisconnect, endLost, endKeepAlive, endTakenOver, endStopped, endLimit, endSilent, endVersion,
		endIdentifier, endDenied, endMalformed, endProtocol, endTooLarge, endNotDurable, endUnread,
		endUnavailable, endRevoked, endRate, endQuota, endAlias,
	}
}

// reasonCode is what an MQTT 5 device is told in a DISCONNECT, 0 when it is told nothing.
func (e ending) reasonCode() byte {
	switch e {
	case endKeepAlive:
		return 0x8D
	case endTakenOver:
		return 0x8E
	case endStopped:
		return 0x8B
	case endRevoked:
		return 0x87
	case endMalformed:
		return 0x81
	case endProtocol:
		return 0x82
	case endQuota:
		return 0x93
	case endAlias:
		return 0x94
	case endTooLarge:
		return 0x95
	case endNotDurable:
		return 0x83
	}
	return 0
}

// fault is an ending with what led to it. It is an error.
type fault struct {
	ending ending
	detail string
}

// Error implements error.
func (f *fault) Error() string { return fmt.Sprintf("mqtt: %s: %s", f.ending, f.detail) }

func faultf(e ending, format string, args ...any) *fault {
	return &fault{ending: e, detail: fmt.Sprintf(format, args...)}
}

func malformed(format string, args ...any) *fault { return faultf(endMalformed, format, args...) }
