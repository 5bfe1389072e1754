package local_test

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/paulmach/orb"

	"outrider/journal"
	"outrider/journal/local"
	"outrider/telemetry"
)

func Example() {
	dir, err := os.MkdirTemp("", "journal")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	j, err := local.Open(local.Options{Dir: dir})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer j.Close()

	ctx := context.Background()
	f := telemetry.NewFix("acme", "van", time.Now(), orb.Point{11.5, 48.25})
	if err := j.Append(ctx, []telemetry.Fix{f}); err != nil { // durable when it returns
		fmt.Println(err)
		return
	}
	p := journal.PartitionOf("acme", "van", j.Partitions())
	entries, err := j.Read(ctx, p, 0, make([]journal.Entry, 0, 16))
	fmt.Println(entries[0].Position, entries[0].Fix.Vehicle, err)
	// Output: 1 van <nil>
}
