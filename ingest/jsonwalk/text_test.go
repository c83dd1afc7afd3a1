package jsonwalk_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stemma-dev/stemma/ingest/jsonwalk"
)

func TestTextFromOutsideIsOneSafeLine(t *testing.T) {
	for in, want := range map[string]string{
		" a\tb\x1b[0m\n": "a b [0m", "x\xffy": "x\uFFFDy", "\u0085z\u009b": "z", "": "",
		"123456789": "12345678", "1234567é": "1234567", "1234567 9": "1234567",
	} {
		if got := jsonwalk.Clean(in, 8); got != want {
			t.Errorf("Clean(%q, 8) = %q, want %q", in, got, want)
		}
	}
	if got := jsonwalk.New([]byte(`"a\nb c"`)).Text(3); got != "a b" {
		t.Errorf("Text = %q", got)
	}
}

func TestTimeIsReadOrZero(t *testing.T) {
	at := jsonwalk.New([]byte(`"2026-02-03T06:34:50.246415+02:00"`)).Time()
	if want := time.Date(2026, 2, 3, 4, 34, 50, 246415e3, time.UTC); !at.Equal(want) || at.Location() != time.UTC {
		t.Errorf("Time = %s, want %s", at, want)
	}
	for _, bad := range []string{`"yesterday"`, `7`, `"0000-01-01T00:00:00Z"`, `"9999-12-31T23:00:00-02:00"`} {
		if at := jsonwalk.New([]byte(bad)).Time(); !at.IsZero() {
			t.Errorf("%s gave %s", bad, at)
		}
	}
}

func TestUnknownNamesAreRememberedOnceAndBounded(t *testing.T) {
	var list []string
	for i := range 40 {
		list = jsonwalk.Remember(list, fmt.Sprint("n", i/2))
		list = jsonwalk.Remember(list, strings.Repeat("x", 100))
	}
	if len(list) != 16 || len(list[1]) != 60 || !slices.Equal(list[:1], []string{"n0"}) {
		t.Errorf("remembered %q", list)
	}
}
