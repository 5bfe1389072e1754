package lex

import "outrider/chat"

// The other slots of the bot.
const (
	SlotFence    = "Geofence"
	SlotDuration = "Duration"
	SlotFrom     = "From"
	SlotTo       = "To"
	SlotLanguage = "Language"
)

// Slots lists the slots in the order in which their words are read.
func Slots() []string {
	return []string{SlotVehicle, SlotFence, SlotDuration, SlotFrom, SlotTo, SlotLanguage}
}

// slot is a slot of an intent. All are optional: what is missing the dialog itself asks for.
type slot struct{ name, kind, question string }

// slotsOf lists the slots of an intent.
func slotsOf(i chat.Intent) []slot {
	vehicle := slot{SlotVehicle, typeVehicle, "Which vehicle?"}
	fence := slot{SlotFence, typeFence, "Which geofence?"}
	switch i {
	case chat.Where, chat.Status, chat.History, chat.Here:
		return []slot{vehicle}
	case chat.Mute:
		return []slot{vehicle, {SlotDuration, "AMAZON.Duration", "For how long?"}}
	case chat.Arrive, chat.Leave:
		return []slot{vehicle, fence}
	case chat.Remove:
		return []slot{fence}
	case chat.Quiet:
		return []slot{{SlotFrom, "AMAZON.Time", "From when?"}, {SlotTo, "AMAZON.Time", "Until when?"}}
	case chat.Language:
		return []slot{{SlotLanguage, typeLanguage, "Which language?"}}
	}
	return nil
}

// file is Slot.json. Lex wants a prompt even where it never asks.
func (s slot) file() map[string]any {
	prompt := map[string]any{
		"messageGroupsList": []map[string]any{{"message": map[string]any{"plainTextMessage": map[string]string{"value": s.question}}}},
		"maxRetries":        2, "allowInterrupt": true,
	}
	return map[string]any{
		"name": s.name, "slotTypeName": s.kind,
		"valueElicitationSetting": map[string]any{"slotConstraint": "Optional", "promptSpecification": prompt},
	}
}

// The bot's own slot types. Fleets give names as they like, so that the values are examples, and other words are
// taken as they are said.
const (
	typeVehicle  = "VehicleName"
	typeFence    = "GeofenceName"
	typeLanguage = "LanguageName"
)

// slotType is a slot type with examples of its values.
type slotType struct {
	name   string
	values []string
}

func slotTypes() []slotType {
	return []slotType{
		{typeVehicle, []string{"Van 12", "Truck 3", "Anna's car", "M-AB 1234"}},
		{typeFence, []string{"Depot", "Home", "School", "Harbour 2"}},
		{typeLanguage, chat.LanguageNames()},
	}
}

// file is SlotType.json.
func (t slotType) file() map[string]any {
	var values []map[string]any
	for _, v := range t.values {
		values = append(values, map[string]any{"sampleValue": map[string]string{"value": v}})
	}
	return map[string]any{
		"name": t.name, "slotTypeValues": values,
		"valueSelectionSetting": map[string]any{"resolutionStrategy": "ORIGINAL_VALUE"},
	}
}
