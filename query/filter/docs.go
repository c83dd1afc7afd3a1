package filter

import (
	"fmt"
	"strings"
)

// Markdown writes the tables of kinds and fields for the documentation.
func Markdown(kinds []*Kind) string {
	var b strings.Builder
	for _, k := range kinds {
		fmt.Fprintf(&b, "### %s\n\n%s.", k.Name, capital(k.Doc))
		if k.Branches {
			b.WriteString(" `at:BRANCH` chooses the branch; without it, the default branch of each repository.")
		}
		if k.Past != "" {
			fmt.Fprintf(&b, " Those that are not there any more are left out unless `is:%s` is part of the question.", k.Past)
		}
		var search []string
		for _, s := range k.Search {
			search = append(search, "`"+s+"`")
		}
		fmt.Fprintf(&b, " Bare words look in %s.", strings.Join(search, ", "))
		if len(k.Order) > 0 {
			fmt.Fprintf(&b, " Sorted by `%s`, the latest first.", k.Order[0].Name)
		}
		b.WriteString("\n\n| field | type | what it is |\n|---|---|---|\n")
		for _, f := range k.Fields {
			name := "`" + f.Name + "`"
			for _, a := range f.Aliases {
				name += ", `" + a + "`"
			}
			doc := f.Doc
			if len(f.Values) > 0 {
				doc += ": `" + strings.Join(f.Values, "` `") + "`"
			}
			kind := string(f.Type)
			if f.Many {
				kind += ", several"
			}
			if f.AskOnly {
				kind += ", only to ask for"
			}
			fmt.Fprintf(&b, "| %s | %s | %s |\n", name, kind, doc)
		}
		b.WriteString("\n")
	}
	return b.String()
}

func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }
