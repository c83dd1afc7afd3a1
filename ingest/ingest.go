// Package ingest is the one way in: every reader of a source turns what it
// finds into room records, and hands their facts to a [Writer], which checks
// them against the legal doors, appends them to the ledger and lets the graph
// catch up. Nothing else appends.
//
// The package keeps two tables beside the ledger. "profile" says who a
// person's pseudonym stands for and may be emptied; "bookmark" remembers how
// far a source was read and may be lost.
package ingest

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/graph"
	"github.com/stemma-dev/stemma/ledger"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/vault"
)

//go:embed migrations/*.sql
var migrations embed.FS

// A Space is one organisation's store, opened and ready.
type Space struct {
	DB     *storage.DB
	Ledger *ledger.Ledger
	Graph  *graph.Graph
	Vault  *vault.Vault // bodies: prompts, transcripts, raw records

	people []byte // the key that pseudonyms are made with
}

// Open completes a space of its parts: it brings the tables of this package up
// to date and derives the key of the pseudonyms.
func Open(ctx context.Context, parts Space, key vault.SpaceKey) (*Space, error) {
	if err := parts.DB.Migrate(ctx, "ingest", migrations); err != nil {
		return nil, err
	}
	people, err := key.Derive("person")
	if err != nil {
		return nil, fmt.Errorf("ingest: key of the pseudonyms: %w", err)
	}
	parts.people = people
	return &parts, nil
}

// Person returns the pseudonym of the account with the given mail address. It
// is the same in the whole space and tells nothing outside it.
func (s *Space) Person(mail string) stemma.Ref {
	return stemma.NewRef(stemma.KindPerson, s.keyed(strings.ToLower(mail)))
}

// Mark tells texts from others in the same space, and nobody what they say: without the
// key it cannot be found out by trying either.
func (s *Space) Mark(texts ...string) string {
	marked := "\x00text"
	for _, t := range texts {
		marked += fmt.Sprintf("\x00%d\x00%s", len(t), t)
	}
	return s.keyed(marked)
}

func (s *Space) keyed(text string) string {
	mac := hmac.New(sha256.New, s.people)
	mac.Write([]byte(text))
	return hex.EncodeToString(mac.Sum(nil)[:16])
}
