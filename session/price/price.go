// Package price knows what tokens cost: by model, from a day on, in a table with
// a date. The table that is built in may be replaced by another of the same
// form. What it does not know has no price, which is not the same as costing
// nothing. It does no I/O and reads no clock.
//
// The form is one JSON object: "date" and "models", each with its "model", the
// day "from" which the prices hold (none for ever), and "input", "output",
// "cache_read" and "cache_write" in micro-dollars for a million tokens. A name
// also stands for the same name with a date, a version or a variant behind it,
// as in "gpt-5-2025-08-07"; the longest name that fits decides.
package price

import (
	"bytes"
	_ "embed" // for the table
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"
)

//go:embed prices.json
var builtIn []byte

// Default returns the table that is built in.
var Default = sync.OnceValue(func() *Table {
	t, err := Parse(builtIn)
	if err != nil {
		panic("price: the built-in table: " + err.Error())
	}
	return t
})

// An Amount is money in millionths of a micro-dollar: what one token may cost.
type Amount int64

// Unknown is the cost of what has no price.
const Unknown Amount = -1

// MicroDollars is the amount rounded.
func (a Amount) MicroDollars() int64 { return (int64(a) + 500_000) / 1_000_000 }

// A Use is tokens that a model took.
type Use struct{ Input, Output, CacheRead, CacheWrite int64 }

// A Price is what a model costs from a day on.
type Price struct {
	Model      string `json:"model"`
	From       string `json:"from,omitempty"` // "2026-02-05"
	Input      int64  `json:"input"`          // micro-dollars for a million tokens
	Output     int64  `json:"output"`
	CacheRead  int64  `json:"cache_read"`
	CacheWrite int64  `json:"cache_write"`
}

// A Table is prices of one date. It may be used by several goroutines; nil
// knows no price.
type Table struct {
	date   string
	prices []Price // by model, newest first
}

// Limits of a table and of what is counted by it: beyond them sums might not
// fit, and nothing real lies there.
const (
	maxTable = 1 << 20
	maxPrice = 1_000_000_000 // 1,000 dollars for a million tokens
	maxUse   = 1_000_000_000 // tokens at once
)

const day = time.DateOnly

// Parse reads a table.
func Parse(data []byte) (*Table, error) {
	if len(data) > maxTable {
		return nil, fmt.Errorf("price: the table is longer than %d bytes", maxTable)
	}
	var form struct {
		Date   string  `json:"date"`
		Models []Price `json:"models"`
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&form); err != nil {
		return nil, fmt.Errorf("price: reading the table: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("price: more after the end of the table")
	}
	if _, err := time.Parse(day, form.Date); err != nil {
		return nil, fmt.Errorf("price: the date %q of the table is none", form.Date)
	}
	for i, p := range form.Models {
		if err := p.check(); err != nil {
			return nil, err
		}
		form.Models[i].Model = fold(p.Model)
	}
	slices.SortStableFunc(form.Models, func(a, b Price) int {
		if c := strings.Compare(a.Model, b.Model); c != 0 {
			return c
		}
		return strings.Compare(b.From, a.From)
	})
	return &Table{date: form.Date, prices: form.Models}, nil
}

func (p Price) check() error {
	if p.Model == "" {
		return errors.New("price: a price of no model")
	}
	if _, err := time.Parse(day, p.From); err != nil && p.From != "" {
		return fmt.Errorf("price: of %q from %q: that is no day", p.Model, p.From)
	}
	for _, n := range []int64{p.Input, p.Output, p.CacheRead, p.CacheWrite} {
		if n < 0 || n > maxPrice {
			return fmt.Errorf("price: of %q: %d is out of bounds", p.Model, n)
		}
	}
	return nil
}

// Date is the date of the table, as in "2026-02-01".
func (t *Table) Date() string { return t.date }

// Cost is what a use cost at a time, by the name of the model as a tool spells
// it. Nothing used costs nothing; a model or a time without a price is [Unknown].
// Without a time the newest price holds.
func (t *Table) Cost(model string, at time.Time, u Use) Amount {
	if u == (Use{}) {
		return 0
	}
	for _, n := range []int64{u.Input, u.Output, u.CacheRead, u.CacheWrite} {
		if n < 0 || n > maxUse {
			return Unknown
		}
	}
	p, ok := t.find(model, at)
	if !ok {
		return Unknown
	}
	return Amount(u.Input*p.Input + u.Output*p.Output + u.CacheRead*p.CacheRead + u.CacheWrite*p.CacheWrite)
}

// find returns the price of the longest name that fits.
func (t *Table) find(model string, at time.Time) (Price, bool) {
	if t == nil {
		return Price{}, false
	}
	when := at.UTC().Format(day)
	var best Price
	model = fold(model)
	for _, p := range t.prices {
		if len(p.Model) <= len(best.Model) || !stands(p.Model, model) {
			continue
		}
		if at.Year() > 1970 && p.From > when {
			continue
		}
		best = p
	}
	return best, best.Model != ""
}

// fold spells a model as the table does: in lower case, without the provider
// before it, with dashes.
func fold(model string) string {
	model = strings.ToLower(strings.TrimSpace(model))
	model = model[strings.LastIndexByte(model, '/')+1:]
	for _, p := range []string{"us.", "eu.", "apac.", "global."} {
		model = strings.TrimPrefix(model, p)
	}
	model = strings.TrimPrefix(model, "anthropic.")
	return strings.ReplaceAll(model, ".", "-")
}

// stands reports whether a name in the table stands for a model: they are the
// same, or what follows is a date, a version or a variant of it.
func stands(name, model string) bool {
	rest, ok := strings.CutPrefix(model, name)
	if !ok {
		return false
	}
	if rest == "" || rest == "-latest" || rest == "-preview" || rest[0] == '@' || rest[0] == ':' || rest[0] == '[' {
		return true
	}
	// Of numbers only a date belongs to the same model: "-5" is another version.
	rest, ok = strings.CutPrefix(rest, "-")
	if !ok {
		return false
	}
	after := strings.TrimLeft(rest, "0123456789")
	if len(rest)-len(after) < 4 && !strings.HasPrefix(rest, "v1") {
		return false
	}
	after = strings.TrimLeft(after, "-0123456789")
	return after == "" || after[0] == 'v' || after[0] == '@' || after[0] == ':' || after[0] == '['
}
