// Package evidencetest is what the tests of all readers of reports share: samples that
// others publish, read from their modules and never copied here, and what must hold of
// any input.
package evidencetest

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stemma-dev/stemma/ingest/evidence"
)

// Samples are the files of a module that a pattern names, by their base names. A test
// imports something of the module, so that it is there.
func Samples(tb testing.TB, module string, patterns ...string) map[string][]byte {
	tb.Helper()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", module).Output()
	dir := strings.TrimSpace(string(out))
	if err != nil || dir == "" {
		tb.Fatalf("where is %s: %q, %v", module, dir, err)
	}
	found := map[string][]byte{}
	for _, pattern := range patterns {
		names, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil || len(names) == 0 {
			tb.Fatalf("%s has nothing of %s: %v", module, pattern, err)
		}
		for _, name := range names {
			if found[filepath.Base(name)], err = os.ReadFile(name); err != nil {
				tb.Fatal(err)
			}
		}
	}
	return found
}

// Fault checks an error of a reader, if there is one: it says of what it is and why, on
// one line, and quotes nothing. It reports whether there was none.
func Fault(tb testing.TB, err error) bool {
	tb.Helper()
	if err == nil {
		return true
	}
	var bad *evidence.Error
	if !errors.As(err, &bad) || bad.Format == "" || bad.Why == "" || strings.ContainsAny(err.Error(), "\n\r") {
		tb.Errorf("%v is no error of a report", err)
	}
	return false
}

// Text checks texts that go into a record.
func Text(tb testing.TB, texts ...string) {
	tb.Helper()
	for _, s := range texts {
		if !utf8.ValidString(s) || strings.ContainsAny(s, "\n\r\x00") || len(s) > 600 {
			tb.Errorf("%q is not one safe line", s)
		}
	}
}

// CutShort reads every beginning of a sample, in steps: none may end other than in an
// error or in a record. It returns how many were refused.
func CutShort(tb testing.TB, sample []byte, read func([]byte) error) (refused int) {
	tb.Helper()
	for n := 0; n < len(sample); n += max(len(sample)/97, 1) {
		if !Fault(tb, read(sample[:n])) {
			refused++
		}
	}
	return refused
}

// Hostile are inputs that every reader must refuse, whatever its format.
var Hostile = map[string]string{
	"nothing":        "",
	"white space":    " \n\t ",
	"a word":         "ok",
	"a NUL":          "\x00",
	"binary":         "\x7fELF\x02\x01\x01",
	"deep arrays":    strings.Repeat("[", 100_000),
	"deep objects":   strings.Repeat(`{"a":`, 100_000),
	"deep elements":  strings.Repeat("<testsuite>", 100_000),
	"an open string": `{"runs":"`,
	"two values":     `{} {}`,
	"a bomb": `<?xml version="1.0"?><!DOCTYPE t [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>` +
		`<testsuites><testsuite name="&b;"/></testsuites>`,
	"a file of the machine": `<!DOCTYPE t [<!ENTITY x SYSTEM "file:///etc/passwd">]><testsuite name="&x;"/>`,
}
