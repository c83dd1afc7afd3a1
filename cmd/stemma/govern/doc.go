// Package govern has the verbs about controls: which there are, what each says, and
// whether those of an organisation are right.
package govern
