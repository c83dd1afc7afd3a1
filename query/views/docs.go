package views

import (
	"fmt"
	"strings"
)

// Markdown writes the table of the public views.
func Markdown() string {
	var b strings.Builder
	b.WriteString("| view | what a row is | columns |\n|---|---|---|\n")
	for _, v := range views() {
		var names []string
		names = append(names, map[bool]string{true: "`effect`", false: "`ref`"}[v.name == "v1_edge"])
		for _, c := range v.cols {
			names = append(names, "`"+c.name+"`")
			if c.kind == moment {
				names = append(names, "`"+c.name+"_us`")
			}
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", v.name, v.doc, strings.Join(names, " "))
	}
	return b.String()
}
