// Package postgres keeps everything in a PostgreSQL database, through pgx: the store for more than one process, or for
// an operator who has a database to look after already.
//
// Writes of one process that come at the same time share a transaction. Statements nobody asks the result of are
// sent together with the next one that answers, or with the COMMIT, so that a lane's commit takes three journeys to
// the server whatever it holds. The transactions of all processes go one after the other, held in order by an
// advisory lock: statements see no half of another's work, and the record's sequence numbers become visible in
// their order. Reads go through a pool and wait for nobody.
//
// The statements are those of store/sqlstore, translated. Times are microseconds since 1970 (0: the zero time),
// alerts are JSONB, secrets are sealed before they come near the database.
package postgres
