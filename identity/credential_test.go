package identity_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"outrider/identity"
)

func TestACredentialOpensWithItsPasswordOnly(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	c, password := identity.NewCredential("acme", "van", now)
	other, otherPassword := identity.NewCredential("acme", "van", now)
	if !c.Opens([]byte(password.Reveal())) {
		t.Error("its password does not open it")
	}
	for _, wrong := range []string{"", otherPassword.Reveal(), password.Reveal() + "x", c.Hash, strings.ToUpper(password.Reveal())} {
		if c.Opens([]byte(wrong)) {
			t.Errorf("%q opens it", wrong)
		}
	}
	if c.ID == other.ID || c.Tenant != "acme" || c.Vehicle != "van" || !c.Created.Equal(now) {
		t.Errorf("%+v and %+v", c, other)
	}
	if strings.Contains(fmt.Sprintf("%+v", c), password.Reveal()) {
		t.Error("the credential holds its password")
	}
}
