package stemma

// A Room declares the kinds that one package keeps. It is data: the graph
// makes a typed table of every kind from it, the lineage its map of doors, the
// query language its fields.
type Room struct {
	Name  string
	Kinds []KindSpec
}

// A KindSpec is the shape of one kind: the columns are the attributes of its
// facts, name for name, and the doors are the edges they may carry.
type KindSpec struct {
	Kind    Kind
	Stage   Stage // where it stands on the way to production; empty if aside
	Doc     string
	Columns []Column
	Lists   []List
	Doors   []Door
	Joins   *Joins // the kind says which things are one; nil if it says nothing of the sort
}

// Joins names the columns of a kind whose things say of two others that they are one,
// or that they are not.
type Joins struct {
	One, Other string // links to the two
	Apart      string // truth: they are not one
	By         string // link to the person who says so; it goes before everything that nobody says
	Open       string // truth: nothing follows from it
}

// A Column is one scalar attribute.
type Column struct {
	Name  string // attribute in the fact, column in the table
	Type  ColumnType
	Index bool // looked up by value often enough to deserve an index
	Doc   string
}

// A ColumnType is how an attribute is kept.
type ColumnType string

// The column types. A time is microseconds since 1970 in UTC when stored and
// RFC 3339 in a fact; a ref is checked before it is accepted.
const (
	Text ColumnType = "text"
	Int  ColumnType = "int"
	Bool ColumnType = "bool"
	Time ColumnType = "time"
	Link ColumnType = "ref"
)

// A List is an attribute that holds an array of objects; it becomes a table of
// its own, named after kind and list, whose rows keep their order.
type List struct {
	Name    string
	Doc     string
	Columns []Column
}

// A Door is a legal edge from the kind that declares it to kinds of any room.
type Door struct {
	Name string
	To   []Kind
	Flow Flow
	Doc  string
}

// Flow says which end of a door is the cause, so that a trace knows which way
// is up.
type Flow int

// The flows.
const (
	// Aside relates two things without causing: author, parent.
	Aside Flow = iota
	// Up leads from the subject to something it rests on.
	Up
	// Down leads from the subject to something that rests on it.
	Down
	// Both binds two faces of one thing, such as a change and its commits: a
	// trace in either direction passes through.
	Both
)
