// Package rule has rules in CEL (cel.dev) about a subject: what they may be asked, how they are
// checked, and what they cost. A rule ends, does no I/O, and cannot change what it
// looks at.
package rule

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/ext"

	"github.com/stemma-dev/stemma/policy/subject"
)

// maxText and maxNesting bound the text of one rule.
const (
	maxText    = 10_000
	maxNesting = 100
)

// A Value is what a rule gives.
type Value interface{ bool | string | []string }

// A Rule gives a value for every subject. It may be asked concurrently.
type Rule[T Value] struct {
	program cel.Program
	looks   []string
	back    []string
}

// An Input is a subject as rules see it.
type Input map[string]any

// An Error is a mistake in a rule.
type Error struct {
	Line int // of its text, from 0
	Why  string
	Type bool // it gives a value of another type than is needed
}

func (e *Error) Error() string { return e.Why }

// environment is what rules are checked against: every member of a subject by its name.
var environment = sync.OnceValues(func() (*cel.Env, error) {
	options := []cel.EnvOption{
		ext.NativeTypes(ext.ParseStructTag("json"), reflect.TypeFor[subject.Subject]()),
		ext.Strings(), ext.Sets(), ext.Math(), ext.Lists(),
		cel.Function("known", cel.Overload("known_timestamp", []*cel.Type{cel.TimestampType}, cel.BoolType, cel.UnaryBinding(known))),
		cel.ParserExpressionSizeLimit(maxText), cel.ParserRecursionLimit(maxNesting),
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

// Members are the names of all that a rule may begin with.
func Members() []string {
	var names []string
	for f := range fields() {
		names = append(names, f.name)
	}
	return names
}

// typeOf is the type of a member, or of what a rule gives, in rules.
func typeOf(t reflect.Type) *cel.Type {
	switch {
	case t == reflect.TypeFor[time.Time]():
		return cel.TimestampType
	case t.Kind() == reflect.Bool:
		return cel.BoolType
	case t.Kind() == reflect.Int:
		return cel.IntType
	case t.Kind() == reflect.String:
		return cel.StringType
	case t.Kind() == reflect.Slice:
		return cel.ListType(typeOf(t.Elem()))
	}
	return cel.ObjectType("subject." + t.Name())
}

// Of makes a subject an input. The subject must not change while rules are asked.
func Of(s *subject.Subject) Input {
	v, in := reflect.ValueOf(s).Elem(), Input{}
	for f := range fields() {
		in[f.name] = v.FieldByIndex(f.Index).Interface()
	}
	return in
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

// fits reports whether a text, which may be a path that git quoted, fits one of some
// patterns.
func fits(text, list ref.Val) ref.Val {
	patterns, err := list.ConvertToNative(reflect.TypeFor[[]string]())
	name, ok := text.Value().(string)
	if err != nil || !ok {
		return types.NewErr("fits: a text and a list of patterns are needed")
	}
	is, err := subject.FitsPath(name, patterns.([]string)...)
	if err != nil {
		return types.NewErr("fits: %v", err)
	}
	return types.Bool(is)
}

// broken finds a pattern that is written out in a rule and is none: a rule that asks for it is false
// of everything.
func broken(root *ast.AST) error {
	var fault error
	ast.PreOrderVisit(root.Expr(), ast.NewExprVisitor(func(n ast.Expr) {
		if fault != nil || n.Kind() != ast.CallKind || n.AsCall().FunctionName() != "fits" {
			return
		}
		for _, p := range literals(n.AsCall().Args()[1]) {
			if text, ok := p.AsLiteral().(types.String); ok && !subject.Valid(string(text)) {
				line := root.SourceInfo().GetStartLocation(p.ID()).Line()
				fault = &Error{Line: max(line-1, 0), Why: fmt.Sprintf("fits: %.80q is not a pattern", string(text))}
				return
			}
		}
	}))
	return fault
}

// literals are the values that are written out as elements of a list, also of one that is put
// together or chosen.
func literals(list ast.Expr) (values []ast.Expr) {
	switch list.Kind() {
	case ast.ListKind:
		for _, e := range list.AsList().Elements() {
			if e.Kind() == ast.LiteralKind {
				values = append(values, e)
			}
		}
	case ast.CallKind:
		if name := list.AsCall().FunctionName(); name == operators.Add || name == operators.Conditional {
			for _, part := range list.AsCall().Args() {
				values = append(values, literals(part)...)
			}
		}
	}
	return values
}

// Compile checks a rule, which has to give a value of the type. What is wrong is an [Error].
func Compile[T Value](text string) (*Rule[T], error) {
	env, err := environment()
	if err != nil {
		return nil, fmt.Errorf("rule: the environment of rules: %w", err)
	}
	checked, issues := env.Compile(text)
	if err := issues.Err(); err != nil {
		first := issues.Errors()[0]
		return nil, &Error{Line: max(first.Location.Line()-1, 0), Why: first.Message}
	}
	want := typeOf(reflect.TypeFor[T]())
	if got := checked.OutputType(); !got.IsAssignableType(want) && !want.IsAssignableType(got) {
		return nil, &Error{Why: fmt.Sprintf("gives %s, and %s is needed", got, want), Type: true}
	}
	if err := broken(checked.NativeRep()); err != nil {
		return nil, err
	}
	p, err := program(env, checked)
	if err != nil {
		return nil, &Error{Why: err.Error()}
	}
	r := &Rule[T]{program: p, back: looksBack(ast.NavigateAST(checked.NativeRep()))}
	members := Members()
	ast.PreOrderVisit(checked.NativeRep().Expr(), ast.NewExprVisitor(func(n ast.Expr) {
		if n.Kind() == ast.IdentKind && slices.Contains(members, n.AsIdent()) && !slices.Contains(r.looks, n.AsIdent()) {
			r.looks = append(r.looks, n.AsIdent())
		}
	}))
	return r, nil
}

// Looks are the members of a subject that the rule looks at.
func (r *Rule[T]) Looks() []string { return r.looks }

// LooksBack are those members of which it looks at what was there before the change too, and
// not only at what came in with it.
func (r *Rule[T]) LooksBack() []string { return r.back }

// Eval asks the rule. One that cannot be evaluated, costs too much or is not done when the context ends
// is an error.
func (r *Rule[T]) Eval(ctx context.Context, in Input) (T, error) {
	var none T
	v, err := asked(ctx, r.program, in)
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
