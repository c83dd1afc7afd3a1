package event_test

import (
	"strings"
	"testing"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/ingest/event"
	"github.com/stemma-dev/stemma/intent"
)

func parse(t *testing.T, body string) event.Value {
	t.Helper()
	v, err := event.Parse([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestValueOfAnotherTypeIsNothing(t *testing.T) {
	v := parse(t, `{"n":null,"o":{"s":"é\u0000x"},"l":[1,"2",{}],"s":"text","i":"42","f":4.9,"neg":-3,"s":"last","t":true,"deep":{"a":{"b":7}}}`)
	for about, got := range map[string]bool{
		"null":              v.At("n").Has() || v.At("n").Object() || v.At("n", "x").Has(),
		"missing":           v.At("nothing", "at", "all").Has() || v.At("nothing").Text(9) != "" || v.At("nothing").Int() != 0,
		"into a text":       v.At("s", "x").Has(),
		"a text as number":  v.At("i").Int() != 42 || v.At("s").Int() != 0,
		"a number as text":  v.At("f").Text(9) != "4.9" || v.At("f").Int() != 4,
		"less than nothing": v.At("neg").Count() != 0 || v.At("neg").Int() != -3,
		"the last of two":   v.At("s").Text(9) != "last",
		"a list":            v.At("l").Len() != 3 || v.At("o").Len() != 0,
		"a zero byte":       strings.ContainsRune(v.At("o", "s").Text(9), 0) || strings.ContainsRune(v.At("o", "s").Long(), 0),
		"deeper":            v.At("deep", "a", "b").Int() != 7,
		"a truth":           !v.At("t").Bool() || v.At("s").Bool(),
		"a name too long":   event.Text(strings.Repeat("x", event.MaxName+1)).Name() != "",
		"first that is":     event.First(v.At("n"), v.At("nothing"), event.Text(""), v.At("i")).Int() != 42,
	} {
		if got {
			t.Errorf("%s is taken for something else", about)
		}
	}
	n := 0
	for range parse(t, "["+strings.Repeat("1,", 5000)+"1]").Items() {
		n++
	}
	if n != 3000 {
		t.Errorf("of 5001 items %d are taken", n)
	}
}

func TestHashesTimesAndAddressesAreWhole(t *testing.T) {
	sha := strings.Repeat("Ab", 20)
	for text, want := range map[string]string{
		sha: strings.ToLower(sha), sha[:39]: "", sha + "0": "", strings.Repeat("0", 40): "", strings.Repeat("g", 40): "", strings.Repeat("1", 64): strings.Repeat("1", 64),
	} {
		if got := event.Text(text).Sha(); got != want {
			t.Errorf("Sha(%q) = %q", text, got)
		}
	}
	for text, want := range map[string]string{
		`"2026-03-01T12:00:00Z"`: "2026-03-01T12:00:00.000000Z", `"2026-03-01 12:00:00 UTC"`: "2026-03-01T12:00:00.000000Z",
		`"2026-03-01 13:00:00 +0100"`: "2026-03-01T12:00:00.000000Z", `"2026-03-01T12:00:00.5+0000"`: "2026-03-01T12:00:00.500000Z",
		`1772366400`: "2026-03-01T12:00:00.000000Z", `1772366400123`: "2026-03-01T12:00:00.123000Z",
		`"0001-01-01T00:00:00Z"`: "", `"yesterday"`: "", `-5`: "", `99999999999999999`: "", `{}`: "", `1e400`: "",
	} {
		if got := parse(t, `{"at":`+text+`}`).At("at").Moment().String(); got != want {
			t.Errorf("Moment of %s = %q, want %q", text, got, want)
		}
	}
	for text, want := range map[string]string{
		"https://x.example/a": "https://x.example/a", "https://user:secret@x.example/a": "", "javascript:alert(1)": "", "//x": "", "": "",
		"https://" + strings.Repeat("x", 2000): "",
	} {
		if got := event.Text(text).URL(); got != want {
			t.Errorf("URL(%q) = %q", text, got)
		}
	}
}

func TestOrderPutsStepsIntoMicroseconds(t *testing.T) {
	const steps = "opened edited closed"
	at := stemma.Moment(1772366400_000000)
	if a, b := event.Order(at, event.Step("edited", steps)), event.Order(at, event.Step("closed", steps)); a >= b || b-at > 10 {
		t.Errorf("%d, %d", a, b)
	}
	if event.Order(0, 3) != 0 || event.Step("else", steps) != 0 {
		t.Error("what has no time got one")
	}
}

func TestUnsaidIsNotStated(t *testing.T) {
	r := event.New(func(event.Account) stemma.Ref { return "" })
	f, ok := r.Forge(change.GitHub, event.Text("https://GitHub.com/acme/pay.git"))
	if !ok || f.Repository != "repository:github.com/acme/pay" || len(r.Statements) != 1 {
		t.Fatalf("%+v, %t", f, ok)
	}
	fact, err := r.Statements[0].Fact("github", stemma.GradeA)
	if err != nil || string(fact.Attrs) != `{"host":"github.com","name":"acme/pay","url":"https://github.com/acme/pay"}` {
		t.Errorf("%s, %v", fact.Attrs, err)
	}
	r.Once(intent.Ticket{Tracker: "jira", Key: "PAY-1"})
	r.Once(intent.Ticket{Tracker: "jira", Key: "PAY-1"})
	r.State(intent.Ticket{}, 1)
	if len(r.Statements) != 2 {
		t.Errorf("%d statements", len(r.Statements))
	}
	for range 500 {
		r.Problem("x", "y")
	}
	if len(r.Problems) != 100 {
		t.Errorf("%d problems", len(r.Problems))
	}
}

func TestSecretsInTextsForPeopleAreCut(t *testing.T) {
	token := "ghp_" + strings.Repeat("a1B2c3", 6)
	v, err := event.Parse([]byte(`{"title":"why is ` + token + ` refused","url":"https://x.example/a?token=` + token + `","body":"see\n` + token + `","branch":"fix/` + token + `"}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{v.At("title").Title(), v.At("url").URL(), v.At("body").Long(), v.At("branch").Name()} {
		if strings.Contains(s, token) || !strings.Contains(s, "[redacted:") {
			t.Errorf("%q", s)
		}
	}
	if got := v.At("title").Title(); !strings.HasPrefix(got, "why is [") || !strings.HasSuffix(got, " refused") {
		t.Errorf("%q", got)
	}
}
