// Package sqlstore is everything of a store but the database: the statements, what they mean together, and the
// mapping of records to rows. store/sqlite and store/postgres give it their database as a [DB], with a schema of the
// same tables and columns.
//
// Statements are written in the SQL that both databases understand, with SQLite's placeholders (? and ?1), and with
// its names for what there is no common word for: json_extract, json_remove, INDEXED BY, and 0 and 1 for false and
// true. store/postgres translates these. A new method is written once, here; a new table or column is a migration in
// both packages, and a case in store/storetest.
package sqlstore
