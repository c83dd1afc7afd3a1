// Package govern has the verbs about controls: which there are and what each says, whether
// those of an organisation are right, how changes stand, and what need not hold for a while.
package govern
