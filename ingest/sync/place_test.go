package sync_test

import (
	"strings"
	"testing"

	"github.com/stemma-dev/stemma/ingest/ingesttest"
	"github.com/stemma-dev/stemma/ingest/sync"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

func TestAnswerAboutAnotherPlaceIsRefused(t *testing.T) {
	for _, other := range []string{"https://git.example/acme/other", "https://github.com/acme/pay"} {
		f := small()
		f.at["/api/v1/repos/acme/pay"].(map[string]any)["html_url"] = other
		x := into(t, storagetest.SQLite(t), f.serve(t))
		_, err := sync.Run(t.Context(), x.config("gitea", "acme/pay"))
		if err == nil || !strings.Contains(err.Error(), "it speaks of "+strings.TrimPrefix(other, "https://")) {
			t.Errorf("%s: %v", other, err)
		}
		if told := ingesttest.Told(t, x.space); strings.Contains(told, "ticket:") {
			t.Errorf("of %s the graph says\n%s", other, told)
		}
	}
}

func TestServerSpeaksForItsOwnAddressUnlessAnotherIsNamed(t *testing.T) {
	f := small()
	url := f.serve(t)
	f.at["/api/v1/repos/acme/pay"].(map[string]any)["html_url"] = url + "/ACME/pay"
	x := into(t, storagetest.SQLite(t), url)
	c := x.config("gitea", "acme/Pay")
	for path, answer := range f.at {
		f.at[strings.ReplaceAll(path, "acme/pay", "acme/Pay")] = answer
	}
	c.Web = ""
	if r, err := sync.Run(t.Context(), c); err != nil || r.Looked != 3 {
		t.Errorf("%+v, %v", r, err)
	}
}
