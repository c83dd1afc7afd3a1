package rule

import (
	"slices"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
)

// past are the members of a subject that also list what was there before the change, each
// with what is so of an element that was: where a rule passes over these, they may be left
// out of the list.
var past = map[string]map[string]bool{
	"packages":        {"kept": true, "came": false},
	"vulnerabilities": {"kept": true},
}

// looksBack finds the members of which a rule looks at more than what came in.
func looksBack(root ast.NavigableExpr) (members []string) {
	for _, n := range ast.MatchDescendants(root, ast.KindMatcher(ast.IdentKind)) {
		name := n.AsIdent()
		if past[name] != nil && !slices.Contains(members, name) && !passesOver(n, past[name]) {
			members = append(members, name)
		}
	}
	return members
}

// passesOver reports whether a list is only gone through, in a step that takes up nothing of an
// element of which something is so.
func passesOver(list ast.NavigableExpr, so map[string]bool) bool {
	parent, ok := list.Parent()
	if !ok || parent.Kind() != ast.ComprehensionKind {
		return false
	}
	loop := parent.AsComprehension()
	step := loop.LoopStep()
	if loop.IterRange().ID() != list.ID() || loop.HasIterVar2() || step.Kind() != ast.CallKind {
		return false
	}
	call := step.AsCall()
	args := call.Args()
	same := func(i int) bool { return args[i].Kind() == ast.IdentKind && args[i].AsIdent() == loop.AccuVar() }
	is := func(i int, want bool) bool {
		got, told := truth(args[i], loop.IterVar(), so)
		return told && got == want
	}
	switch call.FunctionName() {
	case operators.LogicalAnd: // all
		return same(0) && is(1, true)
	case operators.LogicalOr: // exists
		return same(0) && is(1, false)
	case operators.Conditional: // exists_one, filter, map
		return same(2) && is(0, false)
	}
	return false
}

// truth is what a condition comes to for an element of which something is so, if that alone
// decides it: what CEL cannot evaluate does not matter beside it.
func truth(e ast.Expr, element string, so map[string]bool) (is, told bool) {
	switch e.Kind() {
	case ast.LiteralKind:
		b, ok := e.AsLiteral().(types.Bool)
		return bool(b), ok
	case ast.SelectKind:
		s := e.AsSelect()
		if s.IsTestOnly() || s.Operand().Kind() != ast.IdentKind || s.Operand().AsIdent() != element {
			return false, false
		}
		is, told = so[s.FieldName()]
		return is, told
	case ast.CallKind:
		args := e.AsCall().Args()
		switch name := e.AsCall().FunctionName(); name {
		case operators.LogicalNot:
			is, told = truth(args[0], element, so)
			return !is, told
		case operators.LogicalAnd, operators.LogicalOr:
			decides := name == operators.LogicalOr // one such side is enough
			all := true
			for _, a := range args {
				is, told = truth(a, element, so)
				if told && is == decides {
					return decides, true
				}
				all = all && told
			}
			return !decides, all
		}
	}
	return false, false
}
