package query

import (
	"fmt"
	"slices"
	"strings"

	"github.com/stemma-dev/stemma/query/filter"
)

// A field is one thing that can be asked of a kind, and where in the tables it is.
type field struct {
	filter.Field
	expr    string            // SQL of the value, {now} in it the time of the question; of a Ref the id of the node
	rel     *relation         // where several values are
	target  *target           // of a Ref
	cond    string            // of one that is only asked for; {match} stands for the matching ids
	conds   map[string]string // of a Choice
	profile bool              // expr reads the table of people
}

// A relation is where the several values of a row are: those rows of from
// whose key is the id of the row asked.
type relation struct{ from, key, where string }

// A target is what a Ref leads to and how people name it.
type target struct {
	kinds  []string // of nodes
	table  string   // where a name is looked up; empty: by ref only
	column string
	few    bool   // there are never many of them
	match  string // "", "hash": its beginning, "tail": its last part, or "person"
}

// A kind is one sort of row that can be asked for.
type kind struct {
	filter.Kind
	fields []*field // those of Kind.Fields
	from   string   // FROM clause
	id     string   // SQL of the id that relations refer to
	where  string   // what is always asked
	past   string   // SQL of what is not there any more, which Kind.Past asks for
	key    string   // columns that tell one row from another
	tie    string   // ends every order after the ref, where that is not enough
	branch string   // SQL of the branch that at: chooses
	repo   string   // SQL of the repository whose default branch is asked without at:
	weight string   // SQL of what a row counts; empty: 1
	driver string   // the time field that most questions bound, if indexed
	walk   walk
}

// A walk reads the rows of a kind in their own order along an index, so that a
// page of all of them costs as much as the page. An order of its own is only for
// all of them; without it, rows that are chosen are walked through, too.
type walk struct{ from, where, order string }

// declare tells the language of the fields of each kind.
func declare(kinds ...*kind) []*kind {
	for _, k := range kinds {
		k.Branches = k.branch != ""
		for _, f := range k.fields {
			k.Fields = append(k.Fields, &f.Field)
		}
	}
	return kinds
}

// of is where f, a field of the language, is.
func (k *kind) of(f *filter.Field) *field {
	return k.fields[slices.Index(k.Fields, f)]
}

// A measure is a column of groups.
type measure struct{ name, expr, doc string }

func (k *kind) measures() []measure {
	m := []measure{{k.Name, "1", "how many"}}
	if k.weight != "" {
		m[0].expr = k.weight
	}
	for _, f := range k.fields {
		if f.Sum {
			m = append(m, measure{f.Name, f.expr, f.Doc})
		}
	}
	return m
}

// Kinds describes every kind that can be asked for, in the order of the
// documentation. They are not to be changed.
func Kinds() []*filter.Kind {
	out := make([]*filter.Kind, len(kinds()))
	for i, k := range kinds() {
		out[i] = &k.Kind
	}
	return out
}

// Fields lists the fields of a kind, for help and completion; nil if there is
// no such kind.
func Fields(kindName string) []*filter.Field {
	k, err := lookupKind(kindName)
	if err != nil {
		return nil
	}
	return k.Fields
}

func lookupKind(name string) (*kind, error) {
	var names []string
	for _, k := range kinds() {
		if k.Name == name {
			return k, nil
		}
		names = append(names, k.Name)
	}
	return nil, fmt.Errorf("query: unknown kind %s: %s", filter.Visible(name), filter.Suggest(name, names))
}

// The builders of fields.

func value(t filter.Type, name, expr, doc string) *field {
	return &field{Field: filter.Field{Name: name, Type: t, Doc: doc}, expr: expr}
}

// count is a number that is 0 where it is not there; groups add it up.
func count(name, column, doc string) *field {
	f := number(name, column, doc)
	f.Sum = true
	return f
}

func number(name, column, doc string) *field {
	return value(filter.Int, name, "COALESCE("+column+", 0)", doc)
}

func enum(name, expr, doc, values string) *field {
	f := value(filter.Enum, name, expr, doc)
	f.Values = strings.Fields(values)
	return f
}

func ref(name, expr string, to *target, doc string) *field {
	f := value(filter.Ref, name, expr, doc)
	f.target, f.Hex = to, to.match == "hash"
	return f
}

// choice is a field whose values are conditions.
func choice(name, doc string, conds map[string]string) *field {
	f := value(filter.Choice, name, "", doc)
	f.conds = conds
	for v := range conds {
		f.Values = append(f.Values, v)
	}
	slices.Sort(f.Values)
	return f
}

// condition is a Ref that can only be asked for, not shown.
func condition(name string, to *target, doc, cond string) *field {
	f := ref(name, "", to, doc)
	f.cond, f.AskOnly = cond, true
	return f
}

func (f *field) alias(names ...string) *field {
	f.Aliases = names
	return f
}

// many says that the values lie in from, whose rows name theirs by key.
func (f *field) many(from, key, where string) *field {
	f.Many, f.rel = true, &relation{from, key, where}
	return f
}

// door is the condition that an edge leads through the door called name, which
// is a word of ours and never of the user.
func door(column, name string) string {
	return column + ` IN (SELECT d.id FROM door d WHERE d.name = '` + name + `')`
}
