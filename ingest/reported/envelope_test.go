package reported_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/stemma-dev/stemma/ingest/reported"
)

// TestWhatNoStoreTakesIsRefusedAtTheDoor: one report that can never become facts would
// wait for ever, and all behind it.
func TestWhatNoStoreTakesIsRefusedAtTheDoor(t *testing.T) {
	const head = `{"v":1,"key":"k","at":"2026-11-27T09:00:00.000000Z",`
	for text, why := range map[string]string{
		head + `"kind":"snapshot","snapshot":{"environment":"prod","running":[{"name":"x","artifact":"artifact:a\u0000b"}]}}`: "zero byte",
		head + `"kind":"snapshot","snapshot":{"environment":"prod","running":[{"name":"x","artifact":"no ref"}]}}`:            "names nothing",
		head + `"kind":"incident","incident":{"key":"I","causes":["x"]}}`:                                                     "names nothing",
		head + `"kind":"deploy","deployment":{"environment":"a\\\u0000b","version":"v1"}}`:                                    "zero byte",
	} {
		_, err := reported.Decode([]byte(text))
		var bad *reported.BadError
		if !errors.As(err, &bad) || !strings.Contains(bad.Why, why) {
			t.Errorf("%s: %v", text, err)
		}
	}
	if _, err := reported.Decode([]byte(head + `"kind":"deploy","deployment":{"environment":"a\\u0000b","version":"v1"}}`)); err != nil {
		t.Errorf("a text that only speaks of a zero byte: %v", err)
	}
}
