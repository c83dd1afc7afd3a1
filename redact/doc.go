// Package redact takes secrets out of bytes before they leave the machine.
//
// It judges every value, whatever its key and however deep it lies: the text of
// a prompt, an id, a path, a signature, the name of a member, JSON that is
// kept inside a string. Where a secret was there is a mark such as
// "[redacted:aws-access-key]", which keeps no character of it, and a [Report]
// counts what was cut by rule. JSON stays JSON with every other byte as it
// was: cuts are made inside string literals. Escapes hide nothing, because a
// literal is judged as it reads, and as it reads after each further unescaping.
//
// The rules in redact/secret know secrets by their form: tokens that begin in a known way,
// whole blocks of private keys, passwords in addresses, headers, and what is
// assigned to a name that says "password", "secret" or "token", if it looks
// like one. They are always asked; they are hand-written, take linear time and cost nothing at the
// start of a program. The many rules of gitleaks are in redact/rules: they come
// in by [Options.More], for what is about to be published.
//
// What stays: ids of git objects, UUIDs and digests, which are evidence and no
// secrets; passwords made of letters alone, which nothing tells from words; and
// numbers and truths of JSON, which are no text. Numbers that a person would
// keep secret are not known.
//
// Whoever is about to send a body away calls [Redactor.Body], with all rules,
// on the bytes that the vault or the spool gave, and sends what it returns;
// the digest that a fact then names is the one of those bytes. [Redactor.Stream]
// does the same for what is too large to hold. An error means that nothing may
// be sent. The package does no I/O of its own and reads no clock, and neither
// its errors nor its reports hold anything of what was read.
package redact
