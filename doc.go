// Package stemma is the vocabulary that every other package shares.
//
// A stemma is the family tree of a text: which copy came from which, and
// through whose hands. Here the text is software, and the words are these:
//
//   - a [Ref] names one thing for ever: a commit, a session, a ticket;
//   - a [Fact] says one thing about one subject and never changes;
//   - an [Edge] leads from the subject of a fact through a [Door] to another Ref;
//   - a [Grade] says how good the evidence is, a [Basis] how a line's origin is known;
//   - a [Kind] is a sort of thing; a [Room] declares, as data, the kinds it keeps.
//
// The package imports the standard library only, does no I/O and reads no clock.
package stemma
