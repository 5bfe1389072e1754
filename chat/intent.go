package chat

// Intent is what a person wants.
type Intent string

// The intents.
const (
	Where    Intent = "WHERE"    // where is it; argument: vehicle
	Status   Intent = "STATUS"   // ignition, motion, last heard of; argument: vehicle
	History  Intent = "HISTORY"  // what it did today; argument: vehicle
	List     Intent = "LIST"     // which vehicles are mine
	Fences   Intent = "FENCES"   // which geofences are there
	Alerts   Intent = "ALERTS"   // what am I told, what is muted
	Mute     Intent = "MUTE"     // no alerts for a while; argument: vehicle:seconds
	Off      Intent = "OFF"      // no alerts of one fence; argument: vehicle:fence
	Quiet    Intent = "QUIET"    // no alerts at a time of day; argument: minutes-minutes after midnight, or "off"
	Arrive   Intent = "ARRIVE"   // tell me one time when it arrives; argument: vehicle:fence, the fence may be missing
	Leave    Intent = "LEAVE"    // the same when it leaves
	Here     Intent = "HERE"     // a geofence around the vehicle; argument: vehicle:metres:name
	Remove   Intent = "REMOVE"   // take away a geofence of one's own; argument: its id
	Ack      Intent = "ACK"      // I have seen the alert
	Unmute   Intent = "UNMUTE"   // alerts again; argument: vehicle, or nothing for all
	Stop     Intent = "STOP"     // no messages any more
	Start    Intent = "START"    // messages again
	Language Intent = "LANGUAGE" // another language; argument: its code
	Help     Intent = "HELP"     // what can I ask
	Who      Intent = "WHO"      // am I talking to a person
	Thanks   Intent = "THANKS"   // politeness
	Unknown  Intent = ""         // not understood
)

// Buttons lists the intents that only buttons ask for.
func Buttons() []Intent { return []Intent{Off, Ack} }

// harmless reports whether asking changes nothing, or may never be refused: who wants no more messages gets none.
func (i Intent) harmless() bool {
	switch i {
	case Where, Status, History, List, Fences, Alerts, Help, Who, Thanks, Stop:
		return true
	}
	return false
}

// Intents lists every intent that can be asked for in words.
func Intents() []Intent {
	return []Intent{
		Where, Status, History, List, Fences, Alerts, Mute, Unmute, Quiet, Arrive, Leave, Here, Remove, Stop, Start, Language, Help, Who, Thanks,
	}
}
