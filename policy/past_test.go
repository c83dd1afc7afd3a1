package policy

import "testing"

func TestASetSaysWhetherItLooksAtPartsThatWereThereBefore(t *testing.T) {
	set := func(edit func(c *Control)) *Set {
		c := &Control{ID: "OWN-01", Rule: Expr{Text: `packages.all(p, p.kept || p.vetted)`}, Knows: []Clause{{When: Expr{Text: "true"}}}}
		edit(c)
		if err := c.Compile(); err != nil {
			t.Fatal(err)
		}
		return &Set{Controls: []*Control{ruled(t, "true"), c}}
	}
	for name, edit := range map[string]func(c *Control){
		"its rule":                  func(c *Control) { c.Rule.Text = `packages.all(p, p.vetted)` },
		"what it has to know":       func(c *Control) { c.Knows[0].When.Text = `size(packages) > 0` },
		"what it is about":          func(c *Control) { c.Applies = []Clause{{When: Expr{Text: `vulnerabilities.exists(v, v.grave)`}}} },
		"what it says":              func(c *Control) { c.Says.Text = `string(size(vulnerabilities))` },
		"what it rests on":          func(c *Control) { c.Rests.Text = `packages.map(p, p.ref)` },
		"a function that may do so": func(c *Control) { c.Rule, c.Check, c.Inputs = Expr{}, "agent-chain", []string{"packages"} },
	} {
		if !set(edit).LooksBack() {
			t.Errorf("%s looks at them", name)
		}
	}
	if set(func(*Control) {}).LooksBack() || set(func(c *Control) { c.Rule, c.Check, c.Inputs = Expr{}, "agent-chain", []string{"sessions"} }).LooksBack() {
		t.Error("nothing looks at them")
	}
	if !(&Set{Controls: []*Control{{ID: "OWN-01"}}}).LooksBack() {
		t.Error("of a control that was not made ready it is not known")
	}
}
