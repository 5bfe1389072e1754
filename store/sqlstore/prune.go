package sqlstore

import (
	"context"
	"fmt"
	"time"
)

// PERF: both searches walk from the oldest row on, by the primary key: the record is in the order of time, so what is to
// go comes first, and what is held for long is little.
const (
	oldCrossings = `SELECT seq FROM (SELECT seq, recorded FROM crossings ORDER BY seq LIMIT ?) AS oldest WHERE recorded < ?`
	oldDelivered = `SELECT seq FROM deliveries WHERE created < ? AND state IN ('sent', 'failed', 'expired', 'unknown') ORDER BY seq LIMIT ?`
	dropCrossing = `DELETE FROM crossings WHERE seq = ?`
	dropDelivery = `DELETE FROM deliveries WHERE seq = ?`
)

// Prune implements store.Records.
func (s *Store) Prune(ctx context.Context, before time.Time, most int) (int, error) {
	n := 0
	err := s.write(ctx, func(tx Tx) error {
		crossings, err := dropAll(tx, dropCrossing, oldCrossings, most, micros(before))
		if err != nil {
			return err
		}
		deliveries, err := dropAll(tx, dropDelivery, oldDelivered, micros(before), most)
		n = crossings + deliveries
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("store: prune the record before %s: %w", before.UTC().Format(time.RFC3339), err)
	}
	return n, nil
}

// dropAll drops the rows that a query finds, and returns how many those are.
func dropAll(tx Tx, drop, query string, args ...any) (int, error) {
	rows, err := tx.Rows(query, args...)
	seqs, err := collect(rows, err, func(row Row) (int64, error) {
		var seq int64
		err := row.Scan(&seq)
		return seq, err
	})
	for i := 0; i < len(seqs) && err == nil; i++ {
		err = tx.Exec(drop, seqs[i])
	}
	return len(seqs), err
}
