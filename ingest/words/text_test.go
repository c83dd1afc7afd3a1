package words_test

import (
	"strings"
	"testing"

	"github.com/stemma-dev/stemma/ingest/words"
)

func TestSecretsInMessagesAreCut(t *testing.T) {
	token := "ghp_" + strings.Repeat("a1B2c3", 6)
	message := "Use " + token + " for the release\n\nIt is " + token + "\n"
	for what, got := range map[string]string{
		"title": words.Title(message), "message": words.Nameless(message), "branch": words.Short("fix/"+token, words.MaxTitle),
	} {
		if strings.Contains(got, token) || !strings.Contains(got, "[redacted:") {
			t.Errorf("the %s is %q", what, got)
		}
	}
	if got := words.Title("Use ghp_ as the prefix"); got != "Use ghp_ as the prefix" {
		t.Errorf("what is no secret became %q", got)
	}
}
