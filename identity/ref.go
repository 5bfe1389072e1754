package identity

// Kind is what a record is about.
type Kind uint8

// The kinds of records.
const (
	KindVehicle Kind = iota + 1
	KindOwner
	KindPage
	KindTexts
)

// Ref names one record that a [Directory] holds.
type Ref struct {
	Kind   Kind
	Tenant TenantID // empty of a page, whose id is unique
	ID     string   // empty of texts, of which a tenant has one record
}

// VehicleRef names a vehicle.
func VehicleRef(tenant TenantID, id VehicleID) Ref { return Ref{KindVehicle, tenant, string(id)} }

// OwnerRef names an owner.
func OwnerRef(tenant TenantID, id OwnerID) Ref { return Ref{KindOwner, tenant, string(id)} }

// PageRef names a page.
func PageRef(id PageID) Ref { return Ref{Kind: KindPage, ID: string(id)} }

// TextsRef names what a tenant says.
func TextsRef(tenant TenantID) Ref { return Ref{Kind: KindTexts, Tenant: tenant} }
