package price_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stemma-dev/stemma/session/price"
)

const table = `{"date":"2026-02-01","models":[
{"model":"mill-4","input":3000000,"output":15000000,"cache_read":300000,"cache_write":3750000},
{"model":"mill-4","from":"2026-01-15","input":2000000,"output":10000000,"cache_read":200000,"cache_write":2500000},
{"model":"mill-4.5","from":"2026-01-20","input":1000000,"output":5000000,"cache_read":0,"cache_write":0}]}`

func TestTokensCostByModelAndDay(t *testing.T) {
	prices, err := price.Parse([]byte(table))
	if err != nil {
		t.Fatal(err)
	}
	use := price.Use{Input: 1000, Output: 100, CacheRead: 10_000, CacheWrite: 1}
	old, recent := time.Date(2026, 1, 14, 23, 0, 0, 0, time.UTC), time.Date(2026, 2, 3, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		model string
		at    time.Time
		want  price.Amount
	}{
		{"mill-4", old, 3000*1_000_000 + 1500*1_000_000 + 3000*1_000_000 + 3_750_000},
		{"mill-4", recent, 2000*1_000_000 + 1000*1_000_000 + 2000*1_000_000 + 2_500_000},
		{"mill-4", time.Time{}, 2000*1_000_000 + 1000*1_000_000 + 2000*1_000_000 + 2_500_000},
		{"Acme/Mill-4-20260110", recent, 5_002_500_000},
		{"us.mill-4-20260110-v1:0", recent, 5_002_500_000},
		{"mill-4@20260110", recent, 5_002_500_000},
		{"mill-4-latest", recent, 5_002_500_000},
		{"mill-4.5", recent, 1_500_000_000},
		{"mill-4-5-20260120", recent, 1_500_000_000},
		{"mill-4-6", recent, price.Unknown},
		{"mill-4-6-20260120", recent, price.Unknown},
		{"mill-4-2026-01-10", recent, 5_002_500_000},
		{"mill-4-mini", recent, price.Unknown},
		{"mill-40", recent, price.Unknown},
		{"mill", recent, price.Unknown},
		{"", recent, price.Unknown},
		{"mill-4.5", old, price.Unknown},
	} {
		if got := prices.Cost(c.model, c.at, use); got != c.want {
			t.Errorf("%s on %s costs %d, want %d", c.model, c.at.Format(time.DateOnly), got, c.want)
		}
	}
	if got := prices.Cost("nobody", recent, price.Use{}); got != 0 {
		t.Errorf("nothing costs %d", got)
	}
	for _, u := range []price.Use{{Input: -1}, {Output: 1 << 40}} {
		if got := prices.Cost("mill-4", recent, u); got != price.Unknown {
			t.Errorf("%v costs %d", u, got)
		}
	}
	if got := (*price.Table)(nil).Cost("mill-4", recent, use); got != price.Unknown {
		t.Errorf("without a table it costs %d", got)
	}
	if got := price.Amount(1_499_999).MicroDollars(); got != 1 {
		t.Errorf("rounded to %d", got)
	}
}

func TestATableThatSaysNothingClearIsRefused(t *testing.T) {
	for _, text := range []string{
		"", "{}", `{"date":"soon","models":[]}`, `{"date":"2026-02-01","models":[{"input":1}]}`, `{"date":"2026-02-01","models":[{"model":"x","from":"May"}]}`,
		`{"date":"2026-02-01","models":[{"model":"x","input":-1}]}`, `{"date":"2026-02-01","models":[{"model":"x","input":99999999999}]}`,
		`{"date":"2026-02-01","models":[{"model":"x","inptu":1}]}`, `{"date":"2026-02-01","models":[]}{}`, `{"date":"2026-02-01","models":[{"model":"x","input":0.5}]}`,
		strings.Repeat(" ", 2<<20),
	} {
		if _, err := price.Parse([]byte(text)); err == nil {
			t.Errorf("%.80s is taken for a table", text)
		}
	}
}

func TestTheBuiltInTableIsRead(t *testing.T) {
	prices := price.Default()
	if _, err := time.Parse(time.DateOnly, prices.Date()); err != nil {
		t.Error(err)
	}
	at := time.Date(2026, 2, 3, 0, 0, 0, 0, time.UTC)
	for _, model := range []string{"claude-opus-4-6", "claude-sonnet-4-5-20250929", "gpt-5.1-codex", "gemini-2.5-pro", "anthropic/claude-opus-4.5", "claude-sonnet-4-20250514", "claude-sonnet-4-5@20250929", "us.anthropic.claude-haiku-4-5-20251001-v1:0"} {
		if got := prices.Cost(model, at, price.Use{Input: 1}); got <= 0 {
			t.Errorf("%s costs %d", model, got)
		}
	}
	// One token of Opus 4.5 is a third of one of Opus 4.1, which is another model.
	if a, b := prices.Cost("claude-opus-4-5-20251101", at, price.Use{Input: 3}), prices.Cost("claude-opus-4-1-20250805", at, price.Use{Input: 1}); a != b {
		t.Errorf("%d and %d", a, b)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(table), "mill-4-20260110", int64(5))
	f.Fuzz(func(t *testing.T, data []byte, model string, n int64) {
		prices, err := price.Parse(data)
		if err != nil {
			return
		}
		if got := prices.Cost(model, time.Unix(n%(1<<33), 0), price.Use{Input: n, Output: 1}); got < price.Unknown {
			t.Fatalf("%d", got)
		}
	})
}
