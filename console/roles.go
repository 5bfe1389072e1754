package console

import (
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"outrider/identity"
)

// least is the role that each operation takes, by its id. One that is not here takes an admin, and a test asks for its
// row.
var least = map[string]identity.Role{
	"get-self": identity.Viewer, "export-geofences": identity.Viewer,
	signInOperation: identity.Viewer, "sign-out": identity.Viewer, "sign-out-everywhere": identity.Viewer, "change-password": identity.Viewer,
	"list-users": identity.Admin, "create-user": identity.Admin, "get-user": identity.Admin, "patch-user": identity.Admin, "delete-user": identity.Admin,

	"list-geofences": identity.Viewer, "get-geofence": identity.Viewer, "list-vehicles": identity.Viewer, "get-vehicle": identity.Viewer,
	"list-owners": identity.Viewer, "get-owner": identity.Viewer, "list-pages": identity.Viewer, "get-page": identity.Viewer,
	"get-texts": identity.Viewer, "list-rules": identity.Viewer, "get-rule": identity.Viewer, "list-crossings": identity.Viewer,
	"list-deliveries": identity.Viewer, "get-delivery": identity.Viewer, "list-dead-letters": identity.Viewer, "watch-events": identity.Viewer,
	"inspect-vehicle": identity.Viewer, "watch-devices": identity.Viewer, "explain": identity.Viewer, "try-rule": identity.Viewer,

	"create-geofence": identity.Operator, "put-geofence": identity.Operator, "import-geofences": identity.Operator, "patch-geofence": identity.Operator, "delete-geofence": identity.Operator,
	"put-vehicle": identity.Operator, "put-owner": identity.Operator, "link-owner": identity.Operator, "unlink-owner": identity.Operator,
	"create-rule": identity.Operator, "put-rule": identity.Operator, "delete-rule": identity.Operator, "command-vehicle": identity.Operator,
	"message-owner": identity.Operator,

	"put-page": identity.Admin, "connect-page": identity.Admin, "put-texts": identity.Admin,
	"list-credentials": identity.Admin, "make-credential": identity.Admin, "revoke-credential": identity.Admin,
	"list-keys": identity.Admin, "create-key": identity.Admin, "revoke-key": identity.Admin, "list-audit": identity.Admin,
}

// roleOf returns the role that an operation takes.
func roleOf(operation string) identity.Role {
	if r, ok := least[operation]; ok {
		return r
	}
	return identity.Admin
}

// mayDo returns the answer to a caller whose role is not enough, nil if it is.
func mayDo(who caller, op *huma.Operation) *huma.ErrorModel {
	need := roleOf(op.OperationID)
	if who.role.May(need) {
		return nil
	}
	return problem(http.StatusForbidden, fmt.Sprintf("your role is %s; this takes %s", who.role, need))
}
