package secret

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestNamesSayWhatTheirValuesAre(t *testing.T) {
	for _, c := range []struct {
		want  Name
		names []string
	}{
		{Password, []string{"password", "PGPASSWORD", "dbPassword", "db.password", "user-passwd", "DB_PASS", "sshPassphrase", "MYSQL_PWD"}},
		{token, []string{"token", "authToken", "GITHUB_TOKEN", "client_secret", "apiKey", "API_KEY", "x-api-key", "APIKey", "aws_secret_access_key", "AccountKey", "privatekey"}},
		{authorization, []string{"Authorization", "proxy-authorization"}},
		{Nameless, []string{
			"", "id", "key", "PASS", "pass", "compass", "bypass", "tokens", "max_tokens", "input_token", "tokenizer", "token_type", "secretName", "SECRET_FILE",
			"passwordLength", "publicKey", "primary_key", "cacheKey", "nextToken", "page-token", "monkey", "author", "tokenURL", "secret_sha256",
		}},
	} {
		for _, name := range c.names {
			if got := NameOf([]byte(name)); got != c.want {
				t.Errorf("%q says %d, want %d", name, got, c.want)
			}
		}
	}
}

func TestAMatchSaysWhereItLies(t *testing.T) {
	var got []Match
	text := "see postgres://pay:s3cret@db in /home/ann/x"
	Find([]byte(text), Nameless, Options{Homes: true}, func(m Match) { got = append(got, m) })
	want := []Match{
		{Rule: "url-password", Start: 19, End: 25, From: 19, To: 25},
		{Rule: "home", Start: 32, End: 41, From: 32, To: 41, With: "~"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func FuzzFind(f *testing.F) {
	f.Add([]byte("password=pa55word -----BEGIN PRIVATE KEY-----\nx"), uint8(1))
	f.Add([]byte(`eyJ.eyJ@ C:\Users\a\ ://:@ --token x`), uint8(3))
	f.Fuzz(func(t *testing.T, text []byte, as uint8) {
		Find(text, Name(as%4), Options{Homes: true, Mail: true}, func(m Match) {
			if m.Rule == "" || m.Start < 0 || m.Start >= m.End || m.End > len(text) || m.From > m.Start || m.To < m.End {
				t.Fatalf("%q: %+v", text, m)
			}
		})
	})
}
