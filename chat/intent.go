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
	Unmute   Intent = "UNMUTE"   // alerts again; argument: vehicle, or nothing for all
	Stop     Intent = "STOP"     // no messages any more
	Start    Intent = "START"    // messages again
	Language Intent = "LANGUAGE" // another language; argument: its code
	Help     Intent = "HELP"     // what can I ask
	Who      Intent = "WHO"      // am I talking to a person
	Thanks   Intent = "THANKS"   // politeness
	Unknown  Intent = ""         // not understood
)

// Intents lists every intent that can be asked for in words.
func Intents() []Intent {
	return []Intent{Where, Status, History, List, Fences, Alerts, Mute, Unmute, Stop, Start, Language, Help, Who, Thanks}
}
