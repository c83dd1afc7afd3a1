package story

// What the files of the story's repository say, as it goes on.

var firstFiles = map[string]string{
	"go.mod":     "module example.com/pay\n\ngo 1.26\n",
	"README.md":  "# pay\n\nCharges cards, and pays back.\n",
	"CODEOWNERS": "/src/payments/ @ben\n/auth/ @cleo\n",
	".github/workflows/ci.yml": `name: CI
on: [push, pull_request]
jobs:
  build:
    runs-on: ubuntu-24.04
    steps:
      - uses: actions/checkout@11bd71901bbe5b1630ceea73d27597364c9af683
      - run: go test ./...
`,
}

const chargeGo = `package payments

import "errors"

// ErrLimit is returned for a charge that is higher than a shop may make.
var ErrLimit = errors.New("more than the limit of a charge")

const limit = 100_000

// A Bank moves money.
type Bank interface {
	Transfer(account string, cents int) error
}

// Charge takes money from a card.
func Charge(bank Bank, card string, cents int) error {
	if cents > limit {
		return ErrLimit
	}
	return bank.Transfer(card, cents)
}
`

const tokenGo = `package auth

// Valid reports whether a token is the one that the shop was given.
func Valid(token, known string) bool {
	return token != "" && token == known
}
`

const tokenSecure = `package auth

import (
	"crypto/sha256"
	"crypto/subtle"
)

// Valid reports whether a token is the one that the shop was given.
func Valid(token, known string) bool {
	given, kept := sha256.Sum256([]byte(token)), sha256.Sum256([]byte(known))
	return token != "" && subtle.ConstantTimeCompare(given[:], kept[:]) == 1
}
`

const refundsMD = `# Refunds

A refund pays a charge back to the card that it came from. It is tried again
where the bank does not answer, and never pays more than was charged.
`

const refundFirst = `package payments

import "errors"

// ErrNothing is returned where there is nothing to pay back.
var ErrNothing = errors.New("nothing to refund")

// A Refund gives money back that was charged.
type Refund struct {
	Charge string
	Cents  int
}

// Pay pays a refund back to the card that was charged.
func (r Refund) Pay(bank Bank) error {
	return bank.Transfer(r.Charge, -r.Cents)
}
`

const refundTest = `package payments

import "testing"

type nobody struct{}

func (nobody) Transfer(string, int) error { return nil }

func TestRefundOfNothing(t *testing.T) {
	if err := (Refund{Charge: "a"}).Pay(nobody{}); err != ErrNothing {
		t.Errorf("a refund of nothing: %v", err)
	}
}
`

const scopeGo = `package auth

// RefundScope is what a token must allow before anything is paid back.
const RefundScope = "payments:refund"

// Allows reports whether one of the scopes of a token is the one that is needed.
func Allows(scopes []string, needed string) bool {
	for _, scope := range scopes {
		if scope == needed {
			return true
		}
	}
	return false
}
`

const refundSecond = `package payments

import "errors"

// ErrNothing is returned where there is nothing to pay back.
var ErrNothing = errors.New("nothing to refund")

// A Refund gives money back that was charged.
type Refund struct {
	Charge string
	Cents  int
}

// Pay pays a refund back to the card that was charged.
func (r Refund) Pay(bank Bank) error {
	if r.Cents < 0 {
		return ErrNothing
	}
	var failure error
	for attempt := 0; attempt < 2; attempt++ {
		failure = bank.Transfer(r.Charge, -r.Cents)
	}
	return failure
}
`

const ledgerGo = `package payments

// A Ledger keeps which refunds were paid, in the order in which they were.
type Ledger struct {
	entries []Refund
}

// Record keeps a refund that was paid.
func (l *Ledger) Record(paid Refund) {
	l.entries = append(l.entries, paid)
}

// Total is what was paid back in all, in cents.
func (l *Ledger) Total() (cents int) {
	for _, entry := range l.entries {
		cents += entry.Cents
	}
	return cents
}
`

const refundThird = `package payments

import "errors"

// ErrNothing is returned where there is nothing to pay back.
var ErrNothing = errors.New("nothing to refund")

// A Refund gives money back that was charged.
type Refund struct {
	Charge string
	Cents  int
}

// Pay pays a refund back to the card that was charged. The bank knows the charge, so it
// refuses to pay back more than was taken.
func (r Refund) Pay(bank Bank) error {
	if r.Cents <= 0 {
		return ErrNothing
	}
	var failure error
	for attempt := 0; attempt < 2; attempt++ {
		failure = bank.Transfer(r.Charge, -r.Cents)
	}
	return failure
}
`

const refundFourth = `package payments

import "errors"

// ErrNothing is returned where there is nothing to pay back.
var ErrNothing = errors.New("nothing to refund")

// A Refund gives money back that was charged.
type Refund struct {
	Charge string
	Cents  int
}

// Pay pays a refund back to the card that was charged. The bank knows the charge, so it
// refuses to pay back more than was taken.
func (r Refund) Pay(bank Bank) error {
	if r.Cents <= 0 {
		return ErrNothing
	}
	err := bank.Transfer(r.Charge, -r.Cents)
	if err != nil { // it did not answer: once more
		err = bank.Transfer(r.Charge, -r.Cents)
	}
	return err
}
`

const cacheGo = `package rates

import "time"

// A Cache remembers rates of exchange for an hour, by the names of two currencies.
type Cache struct {
	rates map[string]float64
	until time.Time
}

// Rate is the rate that is remembered, and whether there is one.
func (c *Cache) Rate(from, to string, now time.Time) (float64, bool) {
	rate, known := c.rates[from+"/"+to]
	return rate, known && now.Before(c.until)
}
`

const chargeMore = `package payments

import "errors"

// ErrLimit is returned for a charge that is higher than a shop may make.
var ErrLimit = errors.New("more than the limit of a charge")

const limit = 250_000

// A Bank moves money.
type Bank interface {
	Transfer(account string, cents int) error
}

// Charge takes money from a card.
func Charge(bank Bank, card string, cents int) error {
	if cents > limit {
		return ErrLimit
	}
	return bank.Transfer(card, cents)
}
`
