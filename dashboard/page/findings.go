package page

// Findings are how the controls stand for one change.
type Findings struct {
	List  []Finding // what is not met, not known or let pass
	Says  string    // what the rest is, which is folded
	Table *Table    // all of them as rows
}

// A Finding is one of them.
type Finding struct {
	State          Cell
	Control        Cell
	Title, Reason  string
	Remedy         string
	Notes          []Cell // how grave it is, and what comes of it
	Rests          []Cell // the evidence
	Grade          Cell
	Exception      Cell
	Blocks, Turned bool
	Before         string // its state the time before, if it turned
}

// State is how a control stands.
func State(s string) Cell {
	if s == "" {
		return Cell{}
	}
	return Cell{Text: Words(s), Value: s, Class: "state state-" + s}
}
