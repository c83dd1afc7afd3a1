// Package storage keeps the tables of one space, in one SQLite file or one
// PostgreSQL schema ([DB]).
//
// The same SQL text runs on both engines. It keeps to what both accept:
//
//   - placeholders are $1, $2, …; one statement to a call; ON CONFLICT for upserts;
//   - columns are BIGINT, INTEGER, TEXT or BYTEA; times are microseconds in a
//     BIGINT, truth is 0 or 1, digests are 32 bytes;
//   - what an index or a primary key covers stays under 2,600 bytes a row;
//   - TEXT sorts and compares by its bytes, LIKE tells upper from lower case;
//   - one result is read to its end or closed before the next statement starts;
//   - a failed statement spoils its transaction.
//
// Packages own their tables and bring them as migrations ([DB.Migrate]); this
// one has none. Large bodies are kept by package vault.
//
// The package knows no room and no fact, and never reads a clock.
package storage
