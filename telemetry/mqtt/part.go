package mqtt

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// maxConnections is how many connections a client may have.
const maxConnections = 64

// part is what one connection of a client reads: some of the topic filters. No topic matches filters of two parts, so what
// is published on a topic comes over one connection, in order. More connections than filters are possible in a shared
// subscription only: then each reads them all, and the broker spreads the messages, in no order.
type part struct {
	id     string   // client id
	topics []string // filters
	others []string // filters of the other parts, which an older session of this id may still have
}

// parts divides the topic filters over the connections. The first one keeps the client id as it is; no part is empty.
func (o *ClientOptions) parts() []part {
	spread := o.spread()
	n := o.Connections
	if !spread {
		n = min(n, len(o.Topics))
	}
	all := make([]part, n)
	for i := range all {
		p := &all[i]
		if p.id = o.ClientID; i > 0 {
			p.id += "-" + strconv.Itoa(i+1)
		}
		for k, topic := range o.Topics {
			if filter := o.shared(topic); spread || k%len(all) == i {
				p.topics = append(p.topics, filter)
			} else {
				p.others = append(p.others, filter)
			}
		}
	}
	return all
}

// spread reports whether the broker divides messages, and not we filters, over the connections.
func (o *ClientOptions) spread() bool { return o.Share != "" && o.Connections > len(o.Topics) }

// shared is a filter as the broker wants it.
func (o *ClientOptions) shared(filter string) string {
	if o.Share == "" {
		return filter
	}
	return "$share/" + o.Share + "/" + filter
}

// checkParts says why the filters cannot be divided.
func (o *ClientOptions) checkParts() error {
	if o.Connections > maxConnections {
		return fmt.Errorf("mqtt: mqtt.connections is %d, at most %d are made", o.Connections, maxConnections)
	}
	if o.Connections < 2 || o.spread() {
		return nil
	}
	if len(o.Topics) < 2 {
		return errors.New("mqtt: mqtt.connections divides the filters of mqtt.topics, and there is one: name several, such as " +
			"fleet/acme/#,fleet/globex/#, or set mqtt.share")
	}
	for i, a := range o.Topics {
		for _, b := range o.Topics[i+1:] {
			if overlap(a, b) {
				return fmt.Errorf("mqtt: mqtt.topics %q and %q match the same topics, which would come over two connections: see mqtt.connections", a, b)
			}
		}
	}
	return nil
}

// overlap reports whether some topic matches both filters.
func overlap(a, b string) bool {
	if strings.HasPrefix(a, "$") != strings.HasPrefix(b, "$") {
		return false // wildcards at the beginning do not match topics that begin with $
	}
	for {
		x, restX, moreX := strings.Cut(a, "/")
		y, restY, moreY := strings.Cut(b, "/")
		switch {
		case x == "#", y == "#":
			return true
		case x != y && x != "+" && y != "+":
			return false
		case !moreX && !moreY:
			return true
		case !moreX:
			return restY == "#" // which matches the level above, too
		case !moreY:
			return restX == "#"
		}
		a, b = restX, restY
	}
}
