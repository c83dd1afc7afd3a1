package command_test

import (
	"testing"

	"github.com/stemma-dev/stemma/ingest/command"
)

func TestCommandsThatTalkToOtherMachinesAreKnown(t *testing.T) {
	for text, want := range map[string]bool{
		"curl -s https://example.com":              true,
		"cd pay && sudo apt-get install -y jq":     true,
		"go test ./... | tee log; git push origin": true,
		"for i in 1 2; do wget $URL/$i; done":      true,
		"bash -lc 'cd pay && curl example.com'":    true,
		"echo $(gh pr view 7)":                     true,
		"npm --silent ci":                          true,
		"go test ./...":                            false,
		"git commit -m 'curl is gone'":             false,
		"grep -rn curl .":                          false,
		"npm test":                                 false,
		"":                                         false,
	} {
		if got := command.Parse(text).Network; got != want {
			t.Errorf("%q talks: %v, want %v", text, got, want)
		}
	}
}
