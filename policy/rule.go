package policy

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"cel.dev/cel-go/cel"
	celast "cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
	"cel.dev/cel-go/ext"

	"github.com/stemma-dev/stemma/policy/subject"
)

// maxCost is what one rule may cost, in steps of CEL: a rule over each line of a change
// takes some thousands, one that goes through them for each of them is stopped.
const maxCost = 1_000_000

// maxRule and maxNesting bound the text of one rule.
const (
	maxRule    = 10_000
	maxNesting = 100
)

// rules are the compiled ones of a control.
type rules struct {
	applies, knows    []cel.Program
	rule, says, rests cel.Program
}

// environment is what rules are checked against: every member of a subject by its name.
var environment = sync.OnceValues(func() (*cel.Env, error) {
	options := []cel.EnvOption{
		ext.NativeTypes(ext.ParseStructTag("json"), reflect.TypeFor[subject.Subject]()),
		ext.Strings(), ext.Sets(), ext.Math(), ext.Lists(),
		cel.Function("known", cel.Overload("known_timestamp", []*cel.Type{cel.TimestampType}, cel.BoolType, cel.UnaryBinding(known))),
		cel.ParserExpressionSizeLimit(maxRule), cel.ParserRecursionLimit(maxNesting),
		cel.Function("sum", cel.Overload("sum_list_int", []*cel.Type{cel.ListType(cel.IntType)}, cel.IntType, cel.UnaryBinding(sum))),
		cel.Function("fits", cel.Overload("fits_string_list", []*cel.Type{cel.StringType, cel.ListType(cel.StringType)}, cel.BoolType, cel.BinaryBinding(fits))),
	}
	for f := range fields() {
		options = append(options, cel.Variable(f.name, typeOf(f.Type)))
	}
	return cel.NewEnv(options...)
})

type field struct {
	reflect.StructField
	name string
}

// fields are the members of a subject.
func fields() func(yield func(field) bool) {
	return func(yield func(field) bool) {
		t := reflect.TypeFor[subject.Subject]()
		for i := range t.NumField() {
			name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
			if !yield(field{t.Field(i), name}) {
				return
			}
		}
	}
}

// typeOf is the type of a member in rules.
func typeOf(t reflect.Type) *cel.Type {
	switch {
	case t == reflect.TypeFor[time.Time]():
		return cel.TimestampType
	case t.Kind() == reflect.Slice:
		return cel.ListType(typeOf(t.Elem()))
	}
	return cel.ObjectType("subject." + t.Name())
}

// activation is a subject as rules see it.
func activation(s *subject.Subject) map[string]any {
	v, values := reflect.ValueOf(s).Elem(), map[string]any{}
	for f := range fields() {
		values[f.name] = v.FieldByIndex(f.Index).Interface()
	}
	return values
}

// known reports whether a time was told. CEL has no time before all others: one that is
// not set is the beginning of 1970 to it.
func known(v ref.Val) ref.Val {
	t, ok := v.(types.Timestamp)
	return types.Bool(ok && !t.IsZero() && !t.Time.Equal(time.Unix(0, 0)))
}

// sum adds numbers up. One that is too large for that is an error, and no small number.
func sum(list ref.Val) ref.Val {
	numbers, err := list.ConvertToNative(reflect.TypeFor[[]int64]())
	if err != nil {
		return types.NewErr("sum: a list of whole numbers is needed")
	}
	var total ref.Val = types.Int(0)
	for _, n := range numbers.([]int64) {
		if total = total.(types.Int).Add(types.Int(n)); types.IsError(total) {
			return total
		}
	}
	return total
}

// fits reports whether a text fits one of some patterns.
func fits(text, list ref.Val) ref.Val {
	patterns, err := list.ConvertToNative(reflect.TypeFor[[]string]())
	name, ok := text.Value().(string)
	if err != nil || !ok {
		return types.NewErr("fits: a text and a list of patterns are needed")
	}
	return types.Bool(subject.Matches(name, patterns.([]string)...))
}

// costs are what our own functions cost: as much as they look at.
type costs struct{}

func (costs) CallCost(function, _ string, args []ref.Val, _ ref.Val) *uint64 {
	each := uint64(1)
	switch function {
	case "fits":
		text, _ := args[0].Value().(string)
		each += uint64(len(text)) / 20
	case "sum":
	default:
		return nil
	}
	if list, ok := args[len(args)-1].(traits.Sizer); ok {
		if n, ok := list.Size().(types.Int); ok {
			each *= 1 + uint64(max(n, 0))
		}
	}
	return &each
}

// compile checks a rule, which has to give a value of a type, and notes which members of
// a subject it looks at.
func compile(e Expr, want *cel.Type, looks map[string]bool) (cel.Program, error) {
	env, err := environment()
	if err != nil {
		return nil, fmt.Errorf("policy: the environment of rules: %w", err)
	}
	ast, issues := env.Compile(e.Text)
	if err := issues.Err(); err != nil {
		first := issues.Errors()[0]
		return nil, &Fault{Line: e.Line + max(first.Location.Line()-1, 0), Why: first.Message}
	}
	if !ast.OutputType().IsAssignableType(want) && !want.IsAssignableType(ast.OutputType()) {
		return nil, &Fault{Line: e.Line, Why: fmt.Sprintf("the rule gives %s, and %s is needed", ast.OutputType(), want)}
	}
	celast.PreOrderVisit(ast.NativeRep().Expr(), celast.NewExprVisitor(func(n celast.Expr) {
		if n.Kind() == celast.IdentKind {
			looks[n.AsIdent()] = true
		}
	}))
	p, err := env.Program(ast, cel.CostTracking(costs{}), cel.CostLimit(maxCost), cel.EvalOptions(cel.OptOptimize))
	if err != nil {
		return nil, &Fault{Line: e.Line, Why: err.Error()}
	}
	return p, nil
}

// eval evaluates a rule to a Go value.
func eval[T any](p cel.Program, on map[string]any) (T, error) {
	var none T
	v, _, err := p.Eval(on)
	if err != nil {
		return none, err
	}
	got, err := v.ConvertToNative(reflect.TypeFor[T]())
	if err != nil {
		return none, err
	}
	out, ok := got.(T)
	if !ok {
		return none, errors.New("the rule gives a value of another type than it says")
	}
	return out, nil
}

// Compile checks all rules of a control and makes them ready. Until then it judges nothing.
func (c *Control) Compile() error {
	r, looks := &rules{}, map[string]bool{}
	var faults []error
	one := func(e Expr, want *cel.Type, to *cel.Program) {
		if e.Text == "" {
			return
		}
		p, err := compile(e, want, looks)
		if err != nil {
			faults = append(faults, c.at(err))
			return
		}
		*to = p
	}
	for _, list := range []struct {
		clauses []Clause
		to      *[]cel.Program
	}{{c.Applies, &r.applies}, {c.Knows, &r.knows}} {
		*list.to = make([]cel.Program, len(list.clauses))
		for i, cl := range list.clauses {
			one(cl.When, cel.BoolType, &(*list.to)[i])
		}
	}
	one(c.Rule, cel.BoolType, &r.rule)
	one(c.Says, cel.StringType, &r.says)
	one(c.Rests, cel.ListType(cel.StringType), &r.rests)
	if c.Check == "" && len(faults) == 0 {
		faults = append(faults, c.looks(looks))
	}
	if errors.Join(faults...) == nil {
		c.rules = r
	}
	return errors.Join(faults...)
}

// looks says what a control looks at where it does not say so itself, and finds what it
// looks at without saying so.
func (c *Control) looks(at map[string]bool) error {
	silent := len(c.Inputs) == 0
	var faults []error
	for f := range fields() {
		switch {
		case !at[f.name] || slices.Contains(c.Inputs, f.name):
		case silent:
			c.Inputs = append(c.Inputs, f.name)
		default:
			faults = append(faults, c.fault("inputs", "it looks at %s, and inputs does not name that", f.name))
		}
	}
	return errors.Join(faults...)
}

// at names the file of a fault.
func (c *Control) at(err error) error {
	var f *Fault
	if errors.As(err, &f) {
		f.Place = c.Place
		if f.Control == "" {
			f.Control = c.ID
		}
	}
	return err
}
