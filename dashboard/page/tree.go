package page

// A Tree is drawn as one: what started what. The table has the same rows.
type Tree struct {
	Roots []*Branch
	Table *Table
}

// A Branch is one thing of a tree, with what it started.
type Branch struct {
	Thing Cell
	Notes []Cell // a few words about it
	Here  bool   // it is what the page is about
	Below []*Branch
}
