package identity

import (
	"cmp"
	"iter"
	"slices"

	"github.com/tidwall/btree"
)

// table is records of one kind in order of tenant and id. A copy shares all that does not change.
type table[K cmp.Ordered, V any] struct{ rows *btree.BTreeG[row[K, V]] }

type row[K cmp.Ordered, V any] struct {
	tenant TenantID
	id     K
	record *V
}

// alone: a tree that can be seen does not change, and one that changes belongs to one goroutine.
var alone = btree.Options{NoLocks: true}

func newTable[K cmp.Ordered, V any]() table[K, V] {
	return table[K, V]{btree.NewBTreeGOptions(func(a, b row[K, V]) bool {
		if a.tenant != b.tenant {
			return a.tenant < b.tenant
		}
		return a.id < b.id
	}, alone)}
}

func (t table[K, V]) copy() table[K, V] { return table[K, V]{t.rows.Copy()} }

func (t table[K, V]) get(tenant TenantID, id K) (V, bool) {
	r, ok := t.rows.Get(row[K, V]{tenant: tenant, id: id})
	return read(r, ok)
}

func (t table[K, V]) set(tenant TenantID, id K, v V) { t.rows.Set(row[K, V]{tenant, id, &v}) }

func (t table[K, V]) remove(tenant TenantID, id K) (V, bool) {
	r, ok := t.rows.Delete(row[K, V]{tenant: tenant, id: id})
	return read(r, ok)
}

func read[K cmp.Ordered, V any](r row[K, V], ok bool) (V, bool) {
	if !ok {
		var none V
		return none, false
	}
	return *r.record, true
}

// after lists a tenant's records behind an id.
func (t table[K, V]) after(tenant TenantID, id K) iter.Seq[V] {
	return func(yield func(V) bool) {
		t.rows.Ascend(row[K, V]{tenant: tenant, id: id}, func(r row[K, V]) bool {
			return r.tenant == tenant && (r.id == id || yield(*r.record))
		})
	}
}

// key is what something is found by: the first members, and then what it is, last.
type key [4]string

func (k key) less(other key) bool {
	for i := range k {
		if k[i] != other[i] {
			return k[i] < other[i]
		}
	}
	return false
}

// index is keys in order. A copy shares all that does not change.
type index struct{ keys *btree.BTreeG[key] }

func newIndex() index {
	return index{btree.NewBTreeGOptions(key.less, alone)}
}

func (x index) copy() index { return index{x.keys.Copy()} }

func (x index) add(all ...key) {
	for _, k := range all {
		x.keys.Set(k)
	}
}

func (x index) remove(all ...key) {
	for _, k := range all {
		x.keys.Delete(k)
	}
}

// all lists the last members of the keys that begin with some.
func (x index) all(begin ...string) iter.Seq[string] {
	return func(yield func(string) bool) {
		x.keys.Ascend(pivot(begin), func(k key) bool {
			return slices.Equal(k[:len(begin)], begin) && yield(k[len(k)-1])
		})
	}
}

// first returns the last member of the least key that begins with some.
func (x index) first(begin ...string) (found string, ok bool) {
	for found = range x.all(begin...) {
		return found, true
	}
	return "", false
}

// last returns the last member of the greatest key that begins with some.
func (x index) last(begin ...string) (found string, ok bool) {
	end := pivot(begin)
	end[len(begin)] = "\xff" // no text begins with it
	x.keys.Descend(end, func(k key) bool {
		if ok = slices.Equal(k[:len(begin)], begin); ok {
			found = k[len(k)-1]
		}
		return false
	})
	return found, ok
}

// following lists the second members of the keys that begin with one, each once.
func (x index) following(begin string) []string {
	var all []string
	from := key{begin}
	for more := true; more; {
		more = false
		x.keys.Ascend(from, func(k key) bool {
			if k[0] == begin {
				all, from, more = append(all, k[1]), key{begin, k[1], "\xff"}, true
			}
			return false
		})
	}
	return all
}

func pivot(begin []string) (k key) {
	copy(k[:], begin)
	return k
}
