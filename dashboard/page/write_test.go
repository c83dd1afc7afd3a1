package page

import (
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"
)

func TestACellLeadsNowhereButToPages(t *testing.T) {
	for href, want := range map[string]string{
		"/changes/x%231": "/changes/x%231", "#diff": "#diff", "?from=1:2": "?from=1:2", "/a:b": "/a:b", "https://x.test/?a=b&c": "https://x.test/?a=b&amp;c", "HTTP://x.test": "HTTP://x.test",
		"javascript:alert(1)": "#", "JaVaScript:alert(1)": "#", " javascript:alert(1)": "#", "java\tscript:alert(1)": "#", "data:text/html,x": "#", "vbscript:x": "#",
		`/"><script>`: "/&#34;&gt;&lt;script&gt;",
	} {
		if got := string(cellHTML(Text("x").At(href))); got != `<a href="`+want+`"><bdi>x</bdi></a>` {
			t.Errorf("%q becomes %s", href, got)
		}
	}
}

// FuzzCell writes cells of any text: what comes out has the elements that cells have, and no
// attributes that something put there.
func FuzzCell(f *testing.F) {
	f.Add("<script>", `" onload="x`, "javascript:x", "a")
	f.Add("</td>", "'", "https://x.test/\x00", "\u202e")
	f.Fuzz(func(t *testing.T, text, title, href, class string) {
		if href == "" {
			href = "/"
		}
		cells := []Cell{
			{Text: Show(text), Title: title, Href: href, Class: class},
			{Text: Show(text), Title: title},
			{Text: Show(text), Time: time.Unix(1, 0)},
			{Text: Show(text), Press: &Press{Name: title, Value: href, Label: class}},
			{Bar: &Bar{AI: 1, Label: text}},
		}
		written := string(rowsHTML([]Row{{Cells: cells}, {Cells: []Cell{{Parts: cells}}}}))
		root, err := html.Parse(strings.NewReader("<table><tbody>" + written + "</tbody></table>"))
		if err != nil {
			t.Fatal(err)
		}
		known := map[string]bool{
			"html": true, "head": true, "body": true, "table": true, "tbody": true, "tr": true, "td": true, "a": true, "bdi": true, "time": true, "button": true, "svg": true, "title": true, "rect": true,
		}
		for n := range root.Descendants() {
			if n.Type != html.ElementNode {
				continue
			}
			if !known[n.Data] {
				t.Errorf("there is <%s> in %s", n.Data, written)
			}
			for _, a := range n.Attr {
				if strings.HasPrefix(a.Key, "on") || a.Key == "style" || a.Key == "href" && strings.Contains(strings.ToLower(strings.SplitN(a.Val, ":", 2)[0]), "script") && strings.Contains(a.Val, ":") && !strings.ContainsAny(strings.SplitN(a.Val, ":", 2)[0], "/?#") {
					t.Errorf("<%s> has %s=%q in %s", n.Data, a.Key, a.Val, written)
				}
			}
		}
	})
}
