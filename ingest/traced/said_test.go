package traced_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stemma-dev/stemma/ingest/transcript"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

// TestWhatWasSaidIsSealed: it is read back from the vault, without secrets, is in no
// fact and no table, and is gone when it is erased.
func TestWhatWasSaidIsSealed(t *testing.T) {
	h := open(t, storagetest.SQLite(t))
	const secret = "ghp_abcdefghijklmnopqrstuvwxyzABCDEFGHIJ"
	messages := func(role, text string) string {
		return `[{"role":"` + role + `","parts":[{"type":"text","content":"` + text + `"}]}]`
	}
	spans := planner()
	spans[1].has["gen_ai.input.messages"] = messages("user", "refund twice with "+secret)
	spans[1].has["gen_ai.output.messages"] = messages("assistant", "I shall look")
	h.send(spans...)
	h.settle()
	got, err := transcript.Of(t.Context(), h.space, plannerRef)
	if err != nil || len(got) != 2 || got[0].Role != "user" || !strings.HasPrefix(got[0].Text, "refund twice with ") || strings.Contains(got[0].Text, secret) || got[1].Text != "I shall look" || got[1].Turn != 2 {
		t.Errorf("%+v, %v", got, err)
	}
	for _, query := range []string{`SELECT COALESCE(asked, '') || COALESCE(answered, '') || data || said FROM trace_span`, `SELECT CAST(canonical AS TEXT) FROM fact`} {
		err := h.space.DB.Each(t.Context(), func(scan func(...any) error) error {
			var text string
			err := scan(&text)
			if strings.Contains(text, "refund") || strings.Contains(text, "I shall look") || strings.Contains(text, "ada@") {
				t.Errorf("%s", text)
			}
			return err
		}, query)
		if err != nil {
			t.Error(err)
		}
	}
	if err := h.space.Vault.Erase(t.Context(), plannerRef); err != nil {
		t.Fatal(err)
	}
	late := spans[1]
	late.id, late.second = "m9", 20
	h.send(late)
	h.settle()
	if _, err := transcript.Of(t.Context(), h.space, plannerRef); err == nil {
		t.Error("what was erased is read again")
	}
	if x := h.session(plannerRef); x.Iterations != 3 {
		t.Errorf("%+v", x)
	}
}

// TestWordsAreOfTheCopyThatStands: of a span that comes twice, and says something else,
// the same is kept whichever came first, and was settled before.
func TestWordsAreOfTheCopyThatStands(t *testing.T) {
	copies := func() (list []span) {
		for _, said := range []string{"", "one", "two", "three"} {
			s := planner()[1]
			if said != "" {
				s.has["gen_ai.prompt"] = said
			}
			list = append(list, s)
		}
		return list
	}
	var want []transcript.Message
	for i := range copies() {
		h := open(t, storagetest.SQLite(t))
		h.send(planner()[0])
		for j := range copies() {
			h.send(copies()[(i+j)%4])
			if i%2 == 0 {
				h.settle()
			}
		}
		h.settle()
		got, err := transcript.Of(t.Context(), h.space, plannerRef)
		if err != nil || len(got) != 1 {
			t.Fatalf("%+v, %v", got, err)
		}
		if want == nil {
			want = got
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
}
