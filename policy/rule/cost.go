package rule

import (
	"context"
	"fmt"
	"math/bits"
	"strings"
	"sync"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/functions"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
	"cel.dev/cel-go/interpreter"
)

// maxCost is what one rule may cost, in steps of CEL: a rule over each line of a change
// takes some thousands, one that goes through them for each of them is stopped.
const maxCost = 1_000_000

// checkEvery is after how many turns of a loop it is looked whether the time is over.
const checkEvery = 1000

// CEL counts what a function costs once it has run, and nothing ends it before. Of those whose steps or
// whose value may be far more than what they are given, ahead says what they will cost: where that
// alone is too much they do not run.
var ahead = map[string]func(args []ref.Val) int{
	"distinct":              func(a []ref.Val) int { return times(size(a[0]), weight(a[0])) },
	"sets.contains":         pairs,
	"sets.equivalent":       pairs,
	"sets.intersects":       pairs,
	"hasOnly":               pairs,
	"hasAny":                pairs,
	"hasAll":                pairs,
	"hasExactly":            pairs,
	"sort":                  sorting,
	"@sortByAssociatedKeys": sorting,
	"flatten":               func(a []ref.Val) int { return weight(a[0]) },
	"join":                  joining,
	"replace":               replacing,
	"indexOf":               searching,
	"lastIndexOf":           searching,
	"format":                func(a []ref.Val) int { return plus(size(a[0]), times(1+verbs(a[0]), letters(a[1]))) },
}

// verbs are the places in a format at which a value may be written: each may take all of the list.
func verbs(format ref.Val) int {
	text, _ := format.Value().(string)
	return strings.Count(text, "%")
}

func pairs(a []ref.Val) int {
	return min(times(size(a[0]), weight(a[1])), times(size(a[1]), weight(a[0])))
}

func sorting(a []ref.Val) int { return times(size(a[0]), bits.Len(uint(size(a[0])))) }

func joining(a []ref.Val) int {
	between := 0
	if len(a) > 1 {
		between = size(a[1])
	}
	return plus(letters(a[0]), times(size(a[0]), between))
}

func searching(a []ref.Val) int { return times(size(a[0]), 1+size(a[1])/10) }

func replacing(a []ref.Val) int {
	text, _ := a[0].Value().(string)
	old, _ := a[1].Value().(string)
	return plus(len(text), times(strings.Count(text, old), size(a[2])))
}

// plus and times stop at what is too much anyway.
func plus(a, b int) int { return min(a+b, maxCost+1) }

func times(a, b int) int {
	if a > 0 && b > maxCost/a {
		return maxCost + 1
	}
	return a * b
}

// size is how many elements a list, or bytes a text has.
func size(v ref.Val) int {
	if text, ok := v.Value().(string); ok {
		return len(text)
	}
	if of, ok := v.(traits.Sizer); ok {
		if n, ok := of.Size().(types.Int); ok {
			return int(min(max(n, 0), maxCost+1))
		}
	}
	return 1
}

// weight is how many values are in a value, itself and those of lists in it included.
func weight(v ref.Val) int { return walk(v, func(ref.Val) int { return 1 }) }

// letters are the bytes of all texts in a value, and one for each other value.
func letters(v ref.Val) int {
	return walk(v, func(v ref.Val) int {
		if text, ok := v.Value().(string); ok {
			return 1 + len(text)
		}
		return 1
	})
}

// walk adds up what the values in a value come to, until that is too much.
func walk(v ref.Val, each func(ref.Val) int) int {
	list, ok := v.(traits.Lister)
	if !ok {
		return min(each(v), maxCost+1)
	}
	total := 1
	for i := range size(v) {
		if total = plus(total, walk(list.Get(types.Int(i)), each)); total > maxCost {
			break
		}
	}
	return total
}

// guarded are the functions of which it is known ahead what they cost, so that they refuse what is too
// much.
var guarded = sync.OnceValues(func() (list []*functions.Overload, err error) {
	env, err := environment()
	if err != nil {
		return nil, err
	}
	declared := env.Functions()
	for name, cost := range ahead {
		bindings, err := declared[name].Bindings()
		if err != nil {
			return nil, err
		}
		for _, b := range bindings {
			list = append(list, guard(name, *b, cost))
		}
	}
	return list, nil
})

// guard is a function that does not run where it would cost too much. It ends the whole rule then, as CEL
// does at the limit: an error could be passed over by the next turn of a loop.
func guard(name string, f functions.Overload, cost func([]ref.Val) int) *functions.Overload {
	look := func(args ...ref.Val) {
		if cost(args) > maxCost {
			panic(interpreter.EvalCancelledError{
				Cause:   interpreter.CostLimitExceeded,
				Message: fmt.Sprintf("%s would take more than %d steps, which is the limit of a rule", strings.TrimPrefix(name, "@"), maxCost),
			})
		}
	}
	if unary := f.Unary; unary != nil {
		f.Unary = func(a ref.Val) ref.Val { look(a); return unary(a) }
	}
	if binary := f.Binary; binary != nil {
		f.Binary = func(a, b ref.Val) ref.Val { look(a, b); return binary(a, b) }
	}
	if function := f.Function; function != nil {
		f.Function = func(args ...ref.Val) ref.Val { look(args...); return function(args...) }
	}
	return &f
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

// program makes a checked rule one that can be asked.
func program(env *cel.Env, checked *cel.Ast) (cel.Program, error) {
	bounded, err := guarded()
	if err != nil {
		return nil, err
	}
	return env.Program(checked, cel.Functions(bounded...), cel.CostTracking(costs{}), cel.CostLimit(maxCost), cel.InterruptCheckFrequency(checkEvery),
		cel.EvalOptions(cel.OptOptimize))
}

// asked gives what a program gives until the time of a context is over. CEL looks at that in loops alone,
// and an equation of lists that are in each other many times over is none: it is then left behind, and
// ends with the program if not before.
func asked(ctx context.Context, p cel.Program, in Input) (ref.Val, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if ctx.Done() == nil {
		v, _, err := p.Eval(map[string]any(in))
		return v, err
	}
	type answer struct {
		v   ref.Val
		err error
	}
	got := make(chan answer, 1)
	go func() {
		v, _, err := p.ContextEval(ctx, map[string]any(in))
		got <- answer{v, err}
	}()
	select {
	case a := <-got:
		return a.v, a.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
