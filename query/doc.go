// Package query is the one language in which everything is asked: the command
// line, a dashboard's address, an alert and an agent's tool all take the same
// string.
//
// A filter such as
//
//	model:claude-opus-4* merged:>-30d -is:mixed sort:merged-desc
//
// goes one way: [Parse] has package query/filter read it and check every word of it
// against the declared fields of a kind ([Fields]). [Query.SQL] turns the checked
// tree into one statement whose values are all bound arguments and which gives the
// same rows in the same order on SQLite and on PostgreSQL. [Run] streams them.
//
// The tables asked are those of package graph: node, edge, door, k_<kind>
// and k_<kind>_<list>, and if it is there the erasable table of people,
// profile(ref, name, email, login). Package query/views makes the indexes that
// the plans rely on and the public views; package query/output writes results.
//
// The package writes nothing, reads no clock and starts no process.
package query
