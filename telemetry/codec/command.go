package codec

import (
	"strings"

	"outrider/telemetry"
)

// CommandTopics are the topics on which a tracker listens for its commands, by the id under which it publishes:
//
//	fleet/{tenant}/{vehicle}/cmd
//	owntracks/{user}/{device}/cmd    the vehicle user/device of the default tenant
func CommandTopics(tenant telemetry.TenantID, device telemetry.VehicleID) []string {
	topics := []string{"fleet/" + string(tenant) + "/" + string(device) + "/cmd"}
	if strings.Contains(string(device), "/") {
		topics = topics[:0] // an id of two levels has no place in fleet/
		if tenant == telemetry.DefaultTenant && strings.Count(string(device), "/") == 1 {
			topics = append(topics, "owntracks/"+string(device)+"/cmd")
		}
	}
	return topics
}

// CommandOwner says whose commands come on a topic; two empty ids when nobody's do.
func CommandOwner(topic string) (telemetry.TenantID, telemetry.VehicleID) {
	levels := strings.Split(topic, "/")
	if len(levels) != 4 || levels[3] != "cmd" || idFault(levels[1]) != "" || idFault(levels[2]) != "" {
		return "", ""
	}
	switch levels[0] {
	case "fleet":
		return telemetry.TenantID(levels[1]), telemetry.VehicleID(levels[2])
	case "owntracks":
		return telemetry.DefaultTenant, telemetry.VehicleID(levels[1] + "/" + levels[2])
	}
	return "", ""
}
