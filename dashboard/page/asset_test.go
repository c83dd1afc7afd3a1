package page_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestVendoredFilesAreTheStatedOnes compares the files of others with the
// table that says what they are.
func TestVendoredFilesAreTheStatedOnes(t *testing.T) {
	table, err := os.ReadFile(filepath.Join("static", "VENDORED.md"))
	must(t, err)
	stated := map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^\| (\S+) \|.*\| ([0-9a-f]{64}) \|$`).FindAllStringSubmatch(string(table), -1) {
		stated[m[1]] = m[2]
	}
	if len(stated) != 2 {
		t.Errorf("the table states %d files, want 2", len(stated))
	}
	for name, want := range stated {
		data, err := os.ReadFile(filepath.Join("static", name))
		must(t, err)
		sum := sha256.Sum256(data)
		if got := hex.EncodeToString(sum[:]); got != want {
			t.Errorf("%s has the digest %s, the table says %s", name, got, want)
		}
	}
}

// TestOwnScriptStaysSmall keeps what runs in a browser within what a person
// reads at one sitting, and free of what the policy forbids.
func TestOwnScriptStaysSmall(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("static", "keys.js"))
	must(t, err)
	if n := bytes.Count(data, []byte("\n")); n >= 150 {
		t.Errorf("keys.js has %d lines", n)
	}
	for _, word := range []string{"eval(", "innerHTML", "new Function", "document.write", ".style."} {
		if strings.Contains(string(data), word) {
			t.Errorf("keys.js uses %s", word)
		}
	}
}

// TestNothingIsFetchedFromElsewhere looks for addresses in what is embedded.
func TestNothingIsFetchedFromElsewhere(t *testing.T) {
	for _, pattern := range []string{"static/*.css", "static/keys.js", "static/*.svg", "templates/*.html", "../templates/*.html"} {
		files, err := filepath.Glob(pattern)
		must(t, err)
		if len(files) == 0 {
			t.Errorf("no file matches %s", pattern)
		}
		for _, f := range files {
			data, err := os.ReadFile(f)
			must(t, err)
			rest := strings.ReplaceAll(string(data), "http://www.w3.org/2000/svg", "")
			if strings.Contains(rest, "http://") || strings.Contains(rest, "https://") || strings.Contains(rest, "url(//") {
				t.Errorf("%s names another server", f)
			}
		}
	}
}
