package redact_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stemma-dev/stemma/redact"
)

var everything = redact.New(redact.Options{Homes: true, Mail: true})

// planted returns a secret by number.
func planted(n uint) string {
	var list []string
	all := secrets()
	for _, rule := range slices.Sorted(maps.Keys(all)) {
		list = append(list, all[rule]...)
	}
	return list[n%uint(len(list))]
}

// checkText holds for every text: no plant survives, and twice is as once.
func checkText(t *testing.T, before, secret, after string) {
	t.Helper()
	text := []byte(before + " " + secret + "\n" + after)
	got, _ := everything.Text(text)
	if survives(got, secret) && !survives([]byte(before+after), secret) {
		t.Fatalf("%.20q… survives in %q: %q", secret, text, got)
	}
	if again, report := everything.Text(got); !bytes.Equal(again, got) {
		t.Fatalf("%q becomes %q becomes %q (%v)", text, got, again, report)
	}
}

func FuzzText(f *testing.F) {
	f.Add("password=", "x", uint(0))
	f.Add(`"token": "`, `", "b": "//a:b@c"`, uint(9))
	f.Add("-----BEGIN RSA PRIVATE KEY-----\nab\\u00", "-----END", uint(20))
	f.Add("https://a:", "@b/home/ann ann@acme.dev", uint(30))
	f.Add("eyJhbGciOiJI.eyJzdWIiOiIx.eyJ-", "Authorization: Basic ", uint(40))
	f.Fuzz(func(t *testing.T, before, after string, n uint) {
		checkText(t, before, planted(n), after)
	})
}

func FuzzJSON(f *testing.F) {
	f.Add([]byte(`{"password":"pa55word","a":["Bearer q7RkT2vXw9ZbN4mLp8HsJ3dF",{"name":"TOKEN","value":"q7RkT2vXw9ZbN4mL"}]}`), uint(1))
	f.Add([]byte(`["\ud83d\ude00 \\u0041 /home/ann \ud800",1e9,{"":""}]`), uint(2))
	f.Add([]byte(`"{\"a\":\"{\\\"b\\\":\\\"x\\\"}\"}"`), uint(3))
	f.Fuzz(func(t *testing.T, b []byte, n uint) {
		got, report, err := everything.JSON(b)
		if (err == nil) != json.Valid(b) || err != nil && !errors.Is(err, redact.ErrNotJSON) {
			t.Fatalf("%q: %v", b, err)
		}
		if err != nil {
			got, _ := everything.Body(b)
			if again, report := everything.Body(got); !bytes.Equal(again, got) {
				t.Fatalf("%q becomes %q becomes %q (%v)", b, got, again, report)
			}
			return
		}
		if !json.Valid(got) || report.Total() == 0 && !bytes.Equal(got, b) {
			t.Fatalf("%q becomes %q, %v", b, got, report)
		}
		if again, report, err := everything.JSON(got); err != nil || !bytes.Equal(again, got) {
			t.Fatalf("%q becomes %q becomes %q (%v, %v)", b, got, again, report, err)
		}
		// A secret in any string of it goes, and the shape stays.
		for _, at := range stringEnds(b) {
			secret := planted(n)
			quoted, err := json.Marshal(" " + secret + " ")
			if err != nil {
				t.Fatal(err)
			}
			with := slices.Concat(b[:at], quoted[1:len(quoted)-1], b[at:])
			got, _, err := everything.JSON(with)
			if err != nil || !json.Valid(got) {
				t.Fatalf("%q becomes %q: %v", with, got, err)
			}
			if survives(got, secret) && !survives(b, secret) {
				t.Fatalf("%.20q… survives in %q: %q", secret, with, got)
			}
			if shape(got) != shape(with) {
				t.Fatalf("%q becomes %q", with, got)
			}
		}
	})
}

// stringEnds returns where the first strings of a JSON value end.
func stringEnds(b []byte) []int {
	var list []int
	for i := 0; i < len(b) && len(list) < 4; i++ {
		if b[i] != '"' {
			continue
		}
		for i++; b[i] != '"'; i++ {
			if b[i] == '\\' {
				i++
			}
		}
		list = append(list, i)
	}
	return list
}

// shape is a JSON value without what its strings say.
func shape(b []byte) string {
	var out []byte
	for i := 0; i < len(b); i++ {
		out = append(out, b[i])
		if b[i] != '"' {
			continue
		}
		for i++; b[i] != '"'; i++ {
			if b[i] == '\\' {
				i++
			}
		}
	}
	return string(out)
}

func TestTextThatIsMadeToBeSlowIsNot(t *testing.T) {
	const size = 1 << 19
	for _, unit := range []string{
		"eyJ-", "sk-", "token=", `token="`, "-----BEGIN PRIVATE KEY-----", "-----BEGIN PRIVATE KEY-----\n" + drawn + "\n", "://", "a://b:c", "@", "a@b.", "\\", `\"`, "/home/", "=", "--token ",
		"Bearer ", "Authorization: ", "[redacted:", "password=[redacted:x]", `\u0041`, "eyJhbGciOiJIUzI1.", "<password>", "token:::::::",
	} {
		text := bytes.Repeat([]byte(unit), size/len(unit))
		if got, _ := everything.Text(text); len(got) > 2*size {
			t.Errorf("%q grew to %d", unit, len(got))
		}
	}
}

func TestAStreamIsCutAsAWhole(t *testing.T) {
	var text bytes.Buffer
	for n := range uint(120) {
		text.WriteString(strings.Repeat("some words of a log\n", 500+int(n*37)%700))
		text.WriteString(`{"a":"` + drawn + `","password":"pa55word"}` + "\n")
		text.WriteString(planted(n) + "\npassword = pa55word1\n")
	}
	want, counts := quick.Body(text.Bytes())
	for name, src := range map[string]io.Reader{
		"whole": bytes.NewReader(text.Bytes()), "halves": iotest.HalfReader(bytes.NewReader(text.Bytes())), "with its end": iotest.DataErrReader(bytes.NewReader(text.Bytes())),
	} {
		var got bytes.Buffer
		report, err := quick.Stream(&got, src)
		if err != nil || !bytes.Equal(got.Bytes(), want) || report.String() != counts.String() {
			t.Errorf("%s: %d bytes, want %d; %v, want %v; %v", name, got.Len(), len(want), report, counts, err)
		}
	}
}

func TestASecretOverABorderIsCut(t *testing.T) {
	const border = 1<<20 - 256<<10 // where the first piece is cut if nothing lies there
	for n := uint(0); n < 60; n += 4 {
		secret := planted(n)
		for _, before := range []int{1, len(secret) / 2, len(secret) - 1} {
			text := strings.Repeat("0123456789abcd\n", (border-before)/15) + "x " + secret + " y\n" + strings.Repeat("0123456789abcd\n", border/15)
			var got bytes.Buffer
			if report, err := quick.Stream(&got, strings.NewReader(text)); err != nil || survives(got.Bytes(), secret) || report.Total() != 1 {
				t.Errorf("%.12s… %d bytes over the border: %v, %v", secret, before, report, err)
			}
		}
	}
}

func TestAStreamThatFailsSaysSo(t *testing.T) {
	broken := errors.New("broken")
	if _, err := quick.Stream(io.Discard, iotest.ErrReader(broken)); !errors.Is(err, broken) {
		t.Errorf("a reader that fails: %v", err)
	}
	if _, err := quick.Stream(failing{broken}, strings.NewReader("x\n")); !errors.Is(err, broken) {
		t.Errorf("a writer that fails: %v", err)
	}
	if _, err := quick.Stream(io.Discard, io.LimitReader(endless{}, redact.MaxLine+(2<<20))); !errors.Is(err, redact.ErrLine) {
		t.Errorf("a line without an end: %v", err)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

type endless struct{}

func (endless) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = 'x'
	}
	return len(b), nil
}
