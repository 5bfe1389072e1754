package chat

import (
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"slices"
	"strings"
	"time"

	"outrider/identity"
)

const (
	onceLife = 30 * 24 * time.Hour // a wish that nothing fulfilled is forgotten then
	mostOnce = 20                  // of one owner
)

// once remembers that the owner wants to be told one time.
func (t *turn) once(intent Intent, argument string) (Reply, error) {
	vehicle, fence, _ := strings.Cut(argument, ":")
	v, ask, err := t.which(intent, vehicle, ":"+fence)
	if ask != nil || err != nil {
		return t.unless(ask, err)
	}
	if fence, err = url.QueryUnescape(fence); err != nil {
		fence = ""
	}
	if fence != "" {
		known, err := t.fleet.Fences(t.ctx, t.o)
		if err != nil {
			return Reply{}, err
		}
		if !slices.ContainsFunc(known, func(f Fence) bool { return f.ID == fence }) {
			return t.with(t.l.say("not_understood")), nil
		}
	}
	kind := "enter"
	if intent == Leave {
		kind = "exit"
	}
	wish := identity.Once{Vehicle: identity.VehicleID(v.ID), Kind: kind, Fence: fence, Since: t.now.UTC(), Until: t.now.Add(onceLife).UTC()}
	wish.ID = wishID(wish)
	list := slices.DeleteFunc(slices.Clone(t.o.Once), func(o identity.Once) bool {
		return !o.Until.After(t.now) || o.Vehicle == wish.Vehicle && o.Kind == wish.Kind && o.Fence == wish.Fence
	})
	list = append(list, wish)
	list = list[max(0, len(list)-mostOnce):]
	r := t.about(v, t.onceLine(wish))
	return r, t.fleet.SetOnce(t.ctx, t.o, list)
}

// wishID tells one wish from the same one asked for again later.
func wishID(o identity.Once) string {
	sum := sha256.Sum256([]byte(string(o.Vehicle) + "\x00" + o.Kind + "\x00" + o.Fence + "\x00" + o.Since.Format(time.RFC3339Nano)))
	return hex.EncodeToString(sum[:8])
}

// onceLine says what the owner is told one time.
func (t *turn) onceLine(o identity.Once) string {
	key := "once_" + o.Kind
	if o.Fence != "" {
		return t.l.say(key+"_at", "vehicle", t.silent(identity.Mute{Vehicle: o.Vehicle}), "fence", t.fenceName(o.Fence))
	}
	return t.l.say(key, "vehicle", t.silent(identity.Mute{Vehicle: o.Vehicle}))
}
