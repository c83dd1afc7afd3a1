package traced_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stemma-dev/stemma/ingest/transcript"
	"github.com/stemma-dev/stemma/storage"
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

// TestWhatIsSaidInNoSessionIsDropped: it has nobody's key, so it is not kept when nothing
// new came of its trace for an hour, nor what a span says that repeats another one.
func TestWhatIsSaidInNoSessionIsDropped(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, db func() *storage.DB) {
		h := open(t, db())
		chat := func(id, parent string) span {
			return span{service: "crew", id: id, parent: parent, name: "chat", second: 2, has: object{"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o", "gen_ai.prompt": "refund " + id}}
		}
		agent := span{service: "crew", id: "agent", name: "invoke_agent", second: 1, has: object{"gen_ai.operation.name": "invoke_agent", "gen_ai.conversation.id": "c"}}
		alone := chat("alone", "")
		alone.trace = strings.Repeat("7", 32)
		h.send(agent, chat("outer", "agent"), chat("inner", "outer"), alone)
		h.settle()
		readable := `SELECT asked FROM trace_span WHERE asked IS NOT NULL OR answered IS NOT NULL ORDER BY asked`
		if got, want := h.list(readable), []string{"refund alone", "refund inner"}; !cmp.Equal(got, want) {
			t.Errorf("before the hour %q waits, want %q", got, want)
		}
		h.now = h.now.Add(time.Hour)
		h.look()
		if got := h.list(readable); len(got) > 0 {
			t.Errorf("%q are kept", got)
		}
		if got, want := h.list(`SELECT span FROM trace_span ORDER BY span`), []string{id("agent"), id("inner"), id("outer")}; !cmp.Equal(got, want) {
			t.Errorf("spans %q are kept, want %q", got, want)
		}
		if got, err := transcript.Of(t.Context(), h.space, "session:crew/c"); err != nil || len(got) != 1 || got[0].Text != "refund outer" {
			t.Errorf("%+v, %v", got, err)
		}
		if due, err := h.traces.Due(t.Context()); due || err != nil {
			t.Errorf("there is still something to do: %v, %v", due, err)
		}
	})
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
