package page

// A Chart is stacked bars, one for each stretch of time, in its own units. The table
// beside it has the same numbers.
type Chart struct {
	ID            string
	Width, Height int
	Base, Left    int
	Bars          []ChartBar
	Ticks         []Tick
	Title, Desc   string
}

// A ChartBar is one bar, with the parts that stand on each other.
type ChartBar struct {
	X, W           int
	Parts          []ChartPart
	Name, Href     string
	Label, Year    string // below the bar; the year where one begins
	Share          string // AI's, above the bar; empty if nothing was added
	ShareY, Centre int
	Title          string
}

// A ChartPart is one colour of a bar.
type ChartPart struct {
	Class   string
	Y, H    int
	Letter  string // inside, if there is room
	LetterY int
}

// A Tick is a line across a chart, and its number.
type Tick struct {
	Y, TextY int
	Text     string
}

// Lanes is the picture of a lineage: a lane for each stage from requirement to
// incident, a box for each thing, empty lanes as gaps. It is drawn twice, for
// wide and for narrow screens; the table beside it says the same.
type Lanes struct {
	Wide, Narrow Drawing
}

// A Drawing has the places of everything in it, in its own units.
type Drawing struct {
	ID            string
	Width, Height int
	Lanes         []Lane
	Boxes         []Box
	Arrows        []Arrow
	Title, Desc   string
}

// A Lane is a stage, with room for its boxes.
type Lane struct {
	Stage                    string
	Y, Height, TextX, TextY  int
	Empty                    bool
	Gap                      string // what it says then
	GapX, GapY, GapW, GapTxt int
}

// A Box is one thing, and leads to its page.
type Box struct {
	Number            int // from 1; 0 for one that is nothing by itself
	X, Y, W, H        int
	TextX, TextY      int
	GradeX            int
	Text, Title, Href string
	Grade             string
	Start, Named      bool
}

// An Arrow leads from what was first to what came of it.
type Arrow struct {
	From, To int // numbers of boxes
	Path     string
	Title    string
	Weak     bool // declared or inferred
}

// A Way is the row of steps from requirement to incident: of each what is known, or that
// nothing is, and why.
type Way struct {
	Steps   []Step
	Missing int
}

// A Step is one of a way.
type Step struct {
	Name    string
	Things  []Cell // the first of them
	More    Cell   // that there are more
	Missing string // why there are none
	Unheard bool   // nothing of the kind was ever told of
}

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
