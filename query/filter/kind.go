package filter

import "slices"

// A Kind is one sort of thing that can be asked for, as far as the language goes.
type Kind struct {
	Name     string // in the plural: "changes"
	Doc      string
	Fields   []*Field
	Search   []string // fields in which bare words are looked for
	Columns  []string // shown unless others are chosen
	Order    []Order  // without sort:
	Branches bool     // at: chooses one
	Past     string   // is:Past asks for what is not there any more; else it is left out
}

// Field finds a field by its name or another that it has; nil if there is none.
func (k *Kind) Field(name string) *Field {
	for _, f := range k.Fields {
		if f.Name == name || slices.Contains(f.Aliases, name) {
			return f
		}
	}
	return nil
}

// A Type says what values a field has and how they are asked for.
type Type string

// The types of fields.
const (
	Text    Type = "text"    // equal, or like a pattern with * and ?
	Words   Type = "words"   // contains, whatever the case of ASCII letters
	Path    Type = "path"    // a file; * stays in a directory, ** does not
	Hash    Type = "hash"    // begins with these hexadecimal digits
	Int     Type = "number"  // 5, >=5, 5..10
	Percent Type = "percent" // 50%, >=12.5%
	Time    Type = "time"    // 2026-Q3, >-30d, 2026-01..2026-03
	Span    Type = "span"    // of time: >1h, 30min..2d
	Enum    Type = "one of"  // one of a few values
	Choice  Type = "choice"  // one of a few conditions, such as is:merge
	Ref     Type = "ref"     // another thing, by name, key or ref
	Trailer Type = "trailer" // Key or Key=value
)

// Numeric says that values of this type are numbers: microseconds since 1970 for
// a time, microseconds for a span, tenths of a percent for a percentage.
func (t Type) Numeric() bool { return t == Int || t == Percent || t == Time || t == Span }

// A Field is one thing that can be asked of a kind.
type Field struct {
	Name    string
	Type    Type
	Doc     string
	Aliases []string
	Values  []string // of one of, and of choice
	Many    bool     // a row may have several
	AskOnly bool     // it can be asked for, but has no value to show
	Sum     bool     // groups add it up
	Hex     bool     // of a Ref: it is known by hexadecimal digits
}

// Groups reports whether rows can be grouped by f.
func (f *Field) Groups() bool {
	switch f.Type {
	case Text, Enum, Ref, Path:
		return !f.AskOnly
	case Time:
		return !f.AskOnly && !f.Many
	}
	return false
}

// Sorts reports whether rows can be sorted by f.
func (f *Field) Sorts() bool { return !f.Many && f.Shows() }

// Shows reports whether f can be a column.
func (f *Field) Shows() bool { return !f.AskOnly && f.Type != Choice && f.Type != Trailer }
