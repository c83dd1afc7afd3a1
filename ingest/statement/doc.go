// Package statement reads attestations that others left in a repository: in-toto
// statements, bare or in DSSE envelopes and Sigstore bundles, as they lie in
// notes and trees, and the entries of gittuf's log. Bytes go in, small structs
// and records of the room artifact come out; it runs no git, opens no file and
// reads no clock.
//
// A statement is told, not believed: no signature is checked here, and a record
// made here says that it is not verified. What was signed, and what is to be
// checked, stands beside it for the package attest. What cannot be read is a
// [note.Problem] with its place.
package statement
