package catalogue_test

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/stemma-dev/stemma/attest/attesttest"
	"github.com/stemma-dev/stemma/policy"
	"github.com/stemma-dev/stemma/policy/catalogue"
)

var update = flag.Bool("update", false, "rewrite docs/controls.md")

const page = "../../docs/controls.md"

func TestDocumentationIsTrue(t *testing.T) {
	raw, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	text := string(raw)
	for name, want := range map[string]string{"members": members(t), "catalogue": table(t), "packs": packs(t)} {
		begin, end := fmt.Sprintf("<!-- %s: begin -->\n", name), fmt.Sprintf("<!-- %s: end -->", name)
		before, rest, ok := strings.Cut(text, begin)
		got, after, ok2 := strings.Cut(rest, end)
		if !ok || !ok2 {
			t.Fatalf("%s has no place for %s", page, name)
		}
		if got != want && !*update {
			t.Errorf("%s: the table of %s is old; run go test ./policy/catalogue -run Documentation -update", page, name)
		}
		text = before + begin + want + end + after
	}
	if *update {
		if err := os.WriteFile(page, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// TestTheExampleOfTheDocumentationWorks: what a reader copies passes its own cases.
func TestTheExampleOfTheDocumentationWorks(t *testing.T) {
	raw, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	rest := string(raw)
	for {
		_, after, ok := strings.Cut(rest, "```yaml\n# .stemma/")
		if !ok {
			break
		}
		name, after, _ := strings.Cut(after, "\n")
		body, after, _ := strings.Cut(after, "```")
		files[name], rest = body, after
	}
	if len(files) < 3 {
		t.Fatalf("the page shows %d files, want a policy, a control and a pack", len(files))
	}
	known, err := catalogue.Read(directory(files))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := policy.NewSet(known); err != nil {
		t.Error(err)
	}
	for _, c := range known.Own {
		if err := c.Test(); err != nil || len(c.Cases) < 4 {
			t.Errorf("%s has %d cases: %v", c.ID, len(c.Cases), err)
		}
	}
}

// TestTheExampleOfTrustWorks: with the files that it names beside it.
func TestTheExampleOfTrustWorks(t *testing.T) {
	raw, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(raw), "```yaml\n# in .stemma/policy.yaml\n")
	body, _, found := strings.Cut(after, "```")
	root, err := os.ReadFile("../../attest/testdata/trusted_root.json")
	if err != nil || !found {
		t.Fatalf("%t, %v", found, err)
	}
	known, err := catalogue.Read(directory(map[string]string{
		"policy.yaml": body, "keys/release.pub": attesttest.New("release").Public(), "keys/trusted_root.json": string(root),
	}))
	if err != nil {
		t.Fatal(err)
	}
	set, err := policy.NewSet(known)
	if err != nil {
		t.Fatal(err)
	}
	s := set.Policy.SettingsOf("acme/pay")
	if level := s.LevelOf("https://github.com/acme/pay/.github/workflows/release.yml@refs/tags/v1.2"); len(s.Trust) != 2 || level != 2 || s.LevelOf("https://evil.example") != 0 {
		t.Errorf("%d signers, level %d", len(s.Trust), level)
	}
}

// members is the table of the vocabulary, by the comments in package subject.
func members(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	for _, name := range []string{"subject.go", "settings.go"} {
		file, err := parser.ParseFile(token.NewFileSet(), "../subject/"+name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok || g.Tok != token.TYPE {
				continue
			}
			for _, s := range g.Specs {
				spec := s.(*ast.TypeSpec)
				if spec.Name.Name == "Thing" { // its members are shown where it is embedded
					continue
				}
				fields := spec.Type.(*ast.StructType).Fields.List
				doc := strings.Join(strings.Fields(g.Doc.Text()), " ")
				fmt.Fprintf(&b, "\n**%s.** %s\n\n| member | type | what it is |\n|---|---|---|\n", spec.Name.Name, strings.ReplaceAll(doc, "|", "\\|"))
				for _, f := range fields {
					if len(f.Names) == 0 {
						b.WriteString("| `ref`, `grade` | text | its name, and how good the evidence of it is (A to D) |\n")
						continue
					}
					tag := reflect.StructTag(strings.Trim(f.Tag.Value, "`")).Get("json")
					key, _, _ := strings.Cut(tag, ",")
					fmt.Fprintf(&b, "| `%s` | %s | %s |\n", key, typeName(f.Type), strings.ReplaceAll(strings.TrimSpace(f.Comment.Text()), "|", "\\|"))
				}
			}
		}
	}
	return b.String()
}

func typeName(e ast.Expr) string {
	switch x := e.(type) {
	case *ast.Ident:
		if plain := map[string]string{"string": "text", "int": "int", "bool": "bool", "float64": "double"}[x.Name]; plain != "" {
			return plain
		}
		return x.Name
	case *ast.SelectorExpr:
		return "time"
	case *ast.ArrayType:
		return "list of " + typeName(x.Elt)
	case *ast.MapType:
		return "map of " + typeName(x.Value) + " by " + typeName(x.Key)
	}
	return "?"
}

func table(t *testing.T) string {
	var b strings.Builder
	b.WriteString("| control | severity | from | what it asks |\n|---|---|---|---|\n")
	for _, c := range controls(t) {
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", c.ID, c.Severity, c.Stage, c.Title)
	}
	return b.String()
}

func packs(t *testing.T) string {
	t.Helper()
	list, err := catalogue.Packs()
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	b.WriteString("| pack | what it is | status | from | dated | requirements | controls |\n|---|---|---|---|---|---|---|\n")
	for _, p := range list {
		var from []string
		for _, e := range p.Effective {
			from = append(from, e.From+": "+e.What)
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s | %d | %d |\n", p.ID, p.Title, p.Status, strings.Join(from, "; "), p.Dated, len(p.Requirements), len(p.All()))
	}
	return b.String()
}
