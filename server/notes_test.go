package server_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stemma-dev/stemma/ingest/posted"
)

const (
	token  = "0123456789abcdef"
	commit = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	other  = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
)

// send sends a request as a client of Git AI does, with the token unless the
// headers have another one.
func send(s http.Handler, method, path, body string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Host = "127.0.0.1:7171"
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-API-Key", token)
	for i := 0; i+1 < len(header); i += 2 {
		if header[i] == "Host" {
			r.Host = header[i+1]
		}
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

// upload is the body of an upload, as Git AI writes it.
func upload(pairs ...string) string {
	type entry struct {
		Commit  string `json:"commit_sha"`
		Content string `json:"content"`
	}
	body := struct {
		Entries []entry `json:"entries"`
	}{[]entry{}}
	for i := 0; i < len(pairs); i += 2 {
		body.Entries = append(body.Entries, entry{pairs[i], pairs[i+1]})
	}
	b, err := json.Marshal(body)
	if err != nil {
		panic(err) // strings always can
	}
	return string(b)
}

// TestNotesBackendKeepsTheContract goes through the contract, in order of its
// sections; each request finds what those before it left.
func TestNotesBackendKeepsTheContract(t *testing.T) {
	s := openWith(t, io.Discard, token)
	long := strings.Repeat("x", posted.MaxNote+1)
	for _, c := range []struct {
		about, method, path, body string
		status                    int
		answer                    string
	}{
		{"8.3 an empty store", "GET", "/worker/notes/?commits=" + commit, "", 404, `{"notes":{}}`},
		{"3.1 a batch", "POST", "/worker/notes/upload", upload(commit, "note-a", other, "note <b>\n\u00e9\x00\u2028\ufffd"), 200, `{"failure_count":0,"success_count":2}`},
		{"9.2 and 9.4 known and unknown", "GET", "/worker/notes/?commits=" + commit + "," + other + ",cccc", "", 200, `{"notes":{"` + commit + `":"note-a","` + other + `":"note <b>\n` + "\u00e9" + `\u0000\u2028` + "\ufffd" + `"}}`},
		{"3.1 the same again", "POST", "/worker/notes/upload/", upload(commit, "note-a"), 200, `{"failure_count":0,"success_count":1}`},
		{"9.5 the last one stands", "POST", "/worker/notes/upload", upload(commit, "between", commit, ""), 200, `{"failure_count":0,"success_count":2}`},
		{"9.7 without a slash", "GET", "/worker/notes?commits=" + commit, "", 200, `{"notes":{"` + commit + `":""}}`},
		{"4.1 short names, and case", "POST", "/worker/notes/upload", upload("ABCD", "upper", "abcd", "lower"), 200, `{"failure_count":0,"success_count":2}`},
		{"4.1 they are two", "GET", "/worker/notes/?commits=abcd,ABCD", "", 200, `{"notes":{"ABCD":"upper","abcd":"lower"}}`},
		{"4.1 no name", "POST", "/worker/notes/upload", upload("../../x", "bad", "abc", "short", commit, "good"), 200, `{"failure_count":2,"success_count":1}`},
		{"4.1 no name, asked for", "GET", "/worker/notes/?commits=abcd,xyz1", "", 400, `"error"`},
		{"4.2 too large a note", "POST", "/worker/notes/upload", upload(other, long, "dddd", "small"), 200, `{"failure_count":1,"success_count":1}`},
		{"4.3 no entries", "POST", "/worker/notes/upload", `{"entries":[]}`, 200, `{"failure_count":0,"success_count":0}`},
		{"4.3 no commits", "GET", "/worker/notes/?commits=", "", 404, `{"notes":{}}`},
		{"3.2 commits missing", "GET", "/worker/notes/", "", 400, `"error"`},
		{"3.2 too many commits", "GET", "/worker/notes/?commits=abcd" + strings.Repeat(",abcd", 100), "", 400, `"error"`},
		{"7 unknown members", "POST", "/worker/notes/upload", `{"v":[{}],"entries":[{"x":1,"commit_sha":"eeee","content":"e"}],"w":null}`, 200, `{"failure_count":0,"success_count":1}`},
		{"8.4 no JSON", "POST", "/worker/notes/upload", "not json", 400, `"error"`},
		{"9.6 no entries member", "POST", "/worker/notes/upload", `{}`, 400, "there are no entries"},
		{"9.6 no content", "POST", "/worker/notes/upload", `{"entries":[{"commit_sha":"abcd"}]}`, 400, `"error"`},
		{"9.6 content of another type", "POST", "/worker/notes/upload", `{"entries":[{"commit_sha":"abcd","content":7}]}`, 400, `"error"`},
		{"9.6 more than one value", "POST", "/worker/notes/upload", `{"entries":[]}{}`, 400, `"error"`},
		{"9.6 no end", "POST", "/worker/notes/upload", `{"entries":[{"commit_sha":"ffff","content":"f"}`, 400, `"error"`},
		{"what came before a fault is kept", "GET", "/worker/notes/?commits=ffff", "", 200, `{"notes":{"ffff":"f"}}`},
		{"text that is none", "POST", "/worker/notes/upload", `{"entries":[{"commit_sha":"abcd","content":"\ud800"},{"commit_sha":"abcd","content":"` + "\xff" + `"}]}`, 200, `{"failure_count":2,"success_count":0}`},
		{"2 another method", "DELETE", "/worker/notes/upload", "", 405, `"error"`},
		{"2 another method", "POST", "/worker/notes/", "", 405, `"error"`},
		{"9.8 unknown path", "POST", "/worker/notes/v2/upload", "", 404, `"error"`},
	} {
		w := send(s, c.method, c.path, c.body)
		got := strings.ReplaceAll(strings.TrimSpace(w.Body.String()), "\n", "")
		if w.Code != c.status || !strings.Contains(got, c.answer) || w.Header().Get("Content-Type") != "application/json" || !json.Valid(w.Body.Bytes()) {
			t.Errorf("%s: %d %.300s, want %d %s", c.about, w.Code, got, c.status, c.answer)
		}
	}
}

func TestNotesAreForThoseWhoKnowTheToken(t *testing.T) {
	s := openWith(t, io.Discard, token)
	for _, c := range []struct {
		status int
		header []string
	}{
		{200, nil},
		{200, []string{"X-API-Key", "", "Authorization", "Bearer " + token}},
		{401, []string{"X-API-Key", ""}},
		{401, []string{"X-API-Key", token[1:]}},
		{401, []string{"X-API-Key", token + "0"}},
		{401, []string{"X-API-Key", "", "Authorization", "Basic " + token}},
		{403, []string{"Origin", "https://evil.example"}},
		{421, []string{"Host", "evil.example"}},
	} {
		w := send(s, http.MethodPost, "/worker/notes/upload", upload(commit, "x"), c.header...)
		if w.Code != c.status || strings.Contains(w.Body.String(), token) {
			t.Errorf("%v: %d %s, want %d", c.header, w.Code, w.Body, c.status)
		}
	}
	if w := send(s, http.MethodGet, "/worker/notes/?commits="+commit, "", "X-API-Key", "another one, as long"); w.Code != http.StatusUnauthorized {
		t.Errorf("reading without the token: %d", w.Code)
	}
}

func TestNotesAreClosedWithoutAToken(t *testing.T) {
	s := open(t, io.Discard)
	for _, key := range []string{"", token} {
		for _, r := range [][2]string{{http.MethodPost, "/worker/notes/upload"}, {http.MethodGet, "/worker/notes/?commits=" + commit}} {
			w := send(s, r[0], r[1], upload(commit, "x"), "X-API-Key", key)
			if w.Code != http.StatusUnauthorized || !strings.Contains(w.Body.String(), "STEMMA_NOTES_TOKEN") {
				t.Errorf("%s: %d %s", r, w.Code, w.Body)
			}
		}
	}
}

func TestUploadHasABound(t *testing.T) {
	s := openWith(t, io.Discard, token)
	blank := io.MultiReader(strings.NewReader(`{"entries":[]`), io.LimitReader(spaces{}, posted.MaxBatch))
	r := httptest.NewRequest(http.MethodPost, "/worker/notes/upload", blank)
	r.Host = "127.0.0.1:7171"
	r.Header.Set("X-API-Key", token)
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	if w.Code != http.StatusRequestEntityTooLarge || !json.Valid(w.Body.Bytes()) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

type spaces struct{}

func (spaces) Read(b []byte) (int, error) {
	return copy(b, bytes.Repeat([]byte{' '}, len(b))), nil
}

func TestLargeNotesComeBackAsTheyWere(t *testing.T) {
	s := openWith(t, io.Discard, token)
	large := strings.Repeat("a line of a note\n", 8<<20/17+1)
	var pairs []string
	for i := range 3 {
		pairs = append(pairs, fmt.Sprintf("%040x", i), large)
	}
	if w := send(s, http.MethodPost, "/worker/notes/upload", upload(pairs...)); w.Code != http.StatusOK {
		t.Fatalf("%d %.300s", w.Code, w.Body)
	}
	w := send(s, http.MethodGet, "/worker/notes/?commits="+pairs[2], "")
	var got struct{ Notes map[string]string }
	must(t, json.Unmarshal(w.Body.Bytes(), &got))
	if len(large) < 8<<20 || got.Notes[pairs[2]] != large {
		t.Errorf("of %d bytes %d came back", len(large), len(got.Notes[pairs[2]]))
	}
}
