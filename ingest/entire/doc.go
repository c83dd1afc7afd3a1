// Package entire reads the checkpoints that Entire keeps on a branch of a
// repository: the paths of the branch, the metadata of checkpoints and of their
// sessions, and what Entire counted of a commit's lines. Bytes go in, small
// structs and records of the rooms session and attribution come out; it runs no
// git, opens no file and reads no clock.
//
// A checkpoint repeats the transcript so far; the transcript itself is read by
// package ingest/agent. Entire says how many lines an agent wrote, not which,
// so the attributions made here have no spans.
package entire
