package sqlstore

import (
	"outrider/identity"
	"outrider/notify"
	"outrider/store"
)

// Statement is one that runs while the gateway works, for tests of how a database plans it.
type Statement struct {
	Query string
	Scans string // the table that it reads from end to end on purpose
}

// UnderWay is the condition of statements that are to look only at the deliveries that are under way.
const UnderWay = underWay + " AND state"

// Queries returns all that run while the gateway works; those that read a whole table on purpose say why.
func Queries() map[string]Statement {
	all := map[string]Statement{
		"allVehicles":    {allVehicles, "vehicles"},      // the directory loads everybody
		"allOwners":      {allOwners, "owners"},          // the same
		"allPages":       {allPages, "pages"},            // the same
		"allTexts":       {allTexts, "texts"},            // the same
		"countDone":      {countDone, "delivery_counts"}, // four rows
		"countWaiting":   {countWaiting, "deliveries"},   // indexes of those that are under way
		"countBacklog":   {countBacklog, "deliveries"},   // an index of those that wait
		"oldestRevision": {oldestRevision, "adoptions"},  // a few rows for each lane
		"abandonAll":     {abandonAll, "deliveries"},     // an index of the few that are sending
		"geofencesAt":    {geofencesAt, ""},              // by revision: all versions up to it
		"rulesAt":        {rulesAt, ""},                  // the same
		"allAccounts":    {allAccounts, "accounts"},      // few people log in
		"oldCrossings":   {oldCrossings, "crossings"},    // the oldest rows, as many as may go
		"oldDelivered":   {oldDelivered, "deliveries"},   // the same
		"allRules":       {allRules, "rules"},            // the rulebook loads all
		"forgetRules":    {forgetRules, "crossings"},     // its oldest row
		"ownersOfPerson": {ownersOfPerson, "owners"},     // somebody is forgotten: seldom
		"unaddressDone":  {unaddressDone, "deliveries"},  // the same, and an index would cost every delivery
		"unaddress mine": {unaddressDone + ofOwner, ""},  // the same of one tenant
		"dropCodesBy":    {dropCodesBy, "link_codes"},    // codes of a day
		"dropCodesFor":   {dropCodesFor, "link_codes"},   // the same
		"dropOldOpts":    {dropOldOpts, "opt_ins"},       // the same
	}
	for name, query := range map[string]string{
		"currentRevision": currentRevision, "nextRevision": nextRevision, "nextRevisions": nextRevisions, "supersede": supersede, "selectGeofence": selectGeofence,
		"listGeofences": listGeofences, "geofenceChanges": geofenceChanges, "latestRevision": latestRevision,
		"forgetGeofences": forgetGeofences, "forgetDeleted": forgetDeleted, "lastFixes": lastFixes,
		"oneVehicle": oneVehicle, "oneOwner": oneOwner, "onePage": onePage, "tenantTexts": tenantTexts,
		"laneState": laneState, "goBack": goBack, "moveLane": moveLane, "adoptions": adoptions, "forgetAdoptions": forgetAdoptions,
		"memberships": memberships, "dropMember": dropMember, "dropCrossing": dropCrossing, "dropDelivery": dropDelivery,
		"duePending": duePending, "dueHeld": dueHeld, "anyHeldDue": anyHeldDue, "take": take,
		"lastAction": lastAction, "settle": settle, "duePages": duePages, "settleRoute": settleRoute, "settleSent": settleSent, "settleTrace": settleTrace, "settleDigest": settleDigest, "dueAway": dueAway, "templateStatus": templateStatus, "release": release,
		"listTemplates": listTemplates,
		"getCredential": getCredential, "vehicleCredentials": vehicleCredentials, "dropCredential": dropCredential, "credentialUsed": credentialUsed,
		"forgetRevoked": forgetRevoked, "revokedSince": revokedSince,
		"getLinkCode": getLinkCode, "useLinkCode": useLinkCode, "useLinkChildren": useLinkChildren, "dropLinkCodes": dropLinkCodes, "openCodes": openCodes,
		"ownerContacts": ownerContacts, "ownerLinks": ownerLinks, "dropLink": dropLink, "vehicleOwners": vehicleOwners,
		"addressHeld": addressHeld, "forward": forward, "linksOfAccount": linksOfAccount, "dropLinksOf": dropLinksOf, "dropCodesOf": dropCodesOf,
		"dropWindow": dropWindow, "dropSaid": dropSaid, "giveUpPending": giveUpPending, "giveUpHeld": giveUpHeld, "unaddressPending": unaddressPending, "unaddressHeld": unaddressHeld, "optIns": optIns, "dropOptIns": dropOptIns,
		"getErasure": getErasure, "getKey": getKey, "tenantKeys": tenantKeys, "dropKey": dropKey, "keyUsed": keyUsed, "ruleRevision": ruleRevision, "supersedeRule": supersedeRule, "rulesDuring": rulesDuring, "forgetDeletedRules": forgetDeletedRules, "dropRule": dropRule, "getHealth": getHealth, "emptyToken": emptyToken, "dropAccount": dropAccount,
		"newerTemplate": newerTemplate, "blockPage": blockPage, "unheard": unheard, "heard": heard,
		"acknowledge": acknowledge, "acknowledged": acknowledged, "dropQuestion": dropQuestion, "dropEndedAsks": dropEndedAsks, "getQuestion": getQuestion, "onceOf": onceOf, "endOnce": endOnce,
		"forgetOld": forgetOld, "wakePerson": wakePerson, "echoed": echoed, "settleByEcho": settleByEcho,
		"correctByEcho": correctByEcho, "markWatermark": markWatermark, "markMessage": markMessage,
		"endEntry": endEntry, "dropEntry": dropEntry, "newEntries": newEntries, "oldEntries": oldEntries,
		"getReply": getReply, "settleReply": settleReply, "dropReply": dropReply, "dropOldReplies": dropOldReplies,
		"getUser": getUser, "listUsers": listUsers, "dropUser": dropUser, "userUsed": userUsed,
		"getSession": getSession, "seeSession": seeSession, "dropSession": dropSession, "dropSessions": dropSessions, "dropEnded": dropEnded,
		"selectDelivery": selectDelivery, "trimLetters": trimLetters,
	} {
		all[name] = Statement{query, ""}
	}
	for name, q := range map[string]store.Query{
		"all": {}, "vehicle": {Vehicle: "v"}, "fence": {Fence: "f"}, "both": {Vehicle: "v", Fence: "f"}, "page": {Before: 7},
		"state": {State: notify.Sent}, "state and page": {State: notify.Sent, Before: 7},
	} {
		q.Tenant = identity.TenantID("acme")
		clause, _ := where(q, false)
		all["crossings by "+name] = Statement{selectCrossings + clause, ""}
		clause, _ = where(q, true)
		all["deliveries by "+name] = Statement{selectDeliveries + clause, ""}
		q.Fence = ""
		clause, _ = where(q, false)
		all["letters by "+name] = Statement{selectLetters + clause, ""}
	}
	return all
}
