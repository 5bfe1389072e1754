package sqlite

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"outrider/identity"
	"outrider/notify"
	"outrider/store"
)

type bareSealer struct{}

func (bareSealer) Seal(plain, _ string) (string, error)  { return plain, nil }
func (bareSealer) Open(sealed, _ string) (string, error) { return sealed, nil }

func openBare(t *testing.T) *Store {
	t.Helper()
	s, err := Open(t.Context(), Options{Path: filepath.Join(t.TempDir(), "x.db"), Sealer: bareSealer{}, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// queries are all that run while the gateway works; those that read a whole table on purpose say why.
func queries() map[string]struct{ query, scans string } {
	all := map[string]struct{ query, scans string }{
		"allVehicles":    {allVehicles, "vehicles"},      // the directory loads everybody
		"allOwners":      {allOwners, "owners"},          // the same
		"allPages":       {allPages, "pages"},            // the same
		"allTexts":       {allTexts, "texts"},            // the same
		"countDone":      {countDone, "delivery_counts"}, // four rows
		"countWaiting":   {countWaiting, "deliveries"},   // indexes of those that are under way
		"oldestRevision": {oldestRevision, "adoptions"},  // a few rows for each lane
		"abandonAll":     {abandonAll, "deliveries"},     // an index of the few that are sending
		"geofencesAt":    {geofencesAt, ""},              // by revision: all versions up to it
		"allAccounts":    {allAccounts, "accounts"},      // few people log in
		"ownersOfPerson": {ownersOfPerson, "owners"},     // somebody is forgotten: seldom
		"unaddressDone":  {unaddressDone, "deliveries"},  // the same, and an index would cost every delivery
		"unaddress mine": {unaddressDone + ofOwner, ""},  // the same of one tenant
		"dropCodesBy":    {dropCodesBy, "link_codes"},    // codes of a day
		"dropCodesFor":   {dropCodesFor, "link_codes"},   // the same
		"dropOldOpts":    {dropOldOpts, "opt_ins"},       // the same
	}
	for name, query := range map[string]string{
		"currentRevision": currentRevision, "nextRevision": nextRevision, "supersede": supersede, "selectGeofence": selectGeofence,
		"listGeofences": listGeofences, "geofenceChanges": geofenceChanges, "latestRevision": latestRevision,
		"forgetGeofences": forgetGeofences, "forgetDeleted": forgetDeleted, "lastFixes": lastFixes,
		"laneState": laneState, "goBack": goBack, "moveLane": moveLane, "adoptions": adoptions, "forgetAdoptions": forgetAdoptions,
		"memberships": memberships, "dropMember": dropMember,
		"duePending": duePending, "dueHeld": dueHeld, "anyHeldDue": anyHeldDue, "nextLeases": nextLeases, "take": take,
		"lastAction": lastAction, "settle": settle, "duePages": duePages, "settleRoute": settleRoute, "settleSent": settleSent, "settleTrace": settleTrace, "settleDigest": settleDigest, "dueAway": dueAway, "templateStatus": templateStatus, "release": release,
		"listTemplates": listTemplates,
		"getLinkCode":   getLinkCode, "useLinkCode": useLinkCode, "useLinkChildren": useLinkChildren, "dropLinkCodes": dropLinkCodes, "openCodes": openCodes,
		"ownerContacts": ownerContacts, "ownerLinks": ownerLinks, "dropLink": dropLink, "vehicleOwners": vehicleOwners,
		"addressHeld": addressHeld, "forward": forward, "linksOfAccount": linksOfAccount, "dropLinksOf": dropLinksOf, "dropCodesOf": dropCodesOf,
		"dropWindow": dropWindow, "dropSaid": dropSaid, "giveUpPending": giveUpPending, "giveUpHeld": giveUpHeld, "unaddressPending": unaddressPending, "unaddressHeld": unaddressHeld, "optIns": optIns, "dropOptIns": dropOptIns,
		"getErasure": getErasure, "getHealth": getHealth, "emptyToken": emptyToken, "dropAccount": dropAccount,
		"newerTemplate": newerTemplate, "blockPage": blockPage, "unheard": unheard, "heard": heard,
		"forgetOld": forgetOld, "wakePerson": wakePerson, "echoed": echoed, "settleByEcho": settleByEcho,
		"correctByEcho": correctByEcho, "markWatermark": markWatermark, "markMessage": markMessage,
		"selectDelivery": selectDelivery, "trimLetters": trimLetters,
	} {
		all[name] = struct{ query, scans string }{query, ""}
	}
	for name, q := range map[string]store.Query{
		"all": {}, "vehicle": {Vehicle: "v"}, "fence": {Fence: "f"}, "both": {Vehicle: "v", Fence: "f"}, "page": {Before: 7},
		"state": {State: notify.Sent}, "state and page": {State: notify.Sent, Before: 7},
	} {
		q.Tenant = identity.TenantID("acme")
		clause, _ := where(q, false)
		all["crossings by "+name] = struct{ query, scans string }{selectCrossings + clause, ""}
		clause, _ = where(q, true)
		all["deliveries by "+name] = struct{ query, scans string }{selectDeliveries + clause, ""}
		q.Fence = ""
		clause, _ = where(q, false)
		all["letters by "+name] = struct{ query, scans string }{selectLetters + clause, ""}
	}
	return all
}

// scan is a plan's word for reading a table, or one of its indexes, from end to end.
var scan = regexp.MustCompile(`^SCAN (\w+)`)

// small are names in plans that are no tables of ours.
var small = map[string]bool{"p": true, "h": true, "CONSTANT": true}

func TestNoQueryReadsAWholeTable(t *testing.T) {
	t.Parallel()
	s := openBare(t)
	for name, q := range queries() {
		if strings.Contains(q.query, underWay+" AND state") {
			if text := strings.Join(plan(t, s, q.query), "\n"); !strings.Contains(text, "deliveries_busy") {
				t.Errorf("%s reads more than what is under way:\n%s", name, text)
			}
		}
		for _, line := range plan(t, s, q.query) {
			found := scan.FindStringSubmatch(line)
			if found != nil && !small[found[1]] && found[1] != q.scans {
				t.Errorf("%s: %s", name, line)
			}
			if strings.Contains(line, "TEMP B-TREE FOR ORDER BY") {
				t.Errorf("%s sorts: %s", name, line)
			}
		}
	}
}

func plan(t *testing.T, s *Store, query string) []string {
	t.Helper()
	rows, err := s.read.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+query, make([]any, parameters(query))...)
	lines, err := collect(rows, err, func(row scanner) (string, error) {
		var (
			id, parent, unused int
			detail             string
		)
		err := row.Scan(&id, &parent, &unused, &detail)
		return detail, err
	})
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return lines
}

// parameters counts the arguments that a query takes.
func parameters(query string) int {
	n := strings.Count(query, "?")
	for _, numbered := range []string{"?1", "?2", "?3", "?4", "?5"} {
		if k := strings.Count(query, numbered); k > 1 {
			n -= k - 1
		}
	}
	return n
}
