package redact_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stemma-dev/stemma/redact"
)

// drawn is letters and digits as if drawn by lot; the tests put their secrets
// together so that none stands in a file as a whole.
const drawn = "q7RkT2vXw9ZbN4mLp8HsJ3dFg6YcV5xKt1WnQa0BeUz"

// secrets has one secret of every form that is known by itself.
func secrets() map[string][]string {
	d := strings.Repeat(drawn, 4)
	hex := strings.Repeat("3f9a1c7e5b2d8064", 8)
	part := "eyJ" + drawn[:20]
	return map[string][]string{
		"aws-access-key":     {"AKIA" + "QX7RKT2VXW9ZBN4M", "ASIA" + "QX7RKT2VXW9ZBN4M"},
		"aws-bedrock-key":    {"ABSK" + d[:80]},
		"github-token":       {"ghp_" + d[:36], "gho_" + d[:36], "ghs_" + d[:36], "github_pat_" + d[:22] + "_" + d[:59]},
		"gitlab-token":       {"glpat-" + d[:20], "glrt-" + d[:22], "gldt-" + d[:20]},
		"bitbucket-token":    {"ATBB" + d[:32]},
		"atlassian-token":    {"ATATT3xFfGF0" + d[:100]},
		"slack-token":        {"xoxb-1234567890-" + d[:24], "xapp-1-A012-" + d[:30]},
		"slack-webhook":      {"hooks.slack.com/services/T012/B034/" + d[:24]},
		"discord-webhook":    {"discord.com/api/webhooks/123456789012345678/" + d[:68]},
		"stripe-key":         {"sk_live_" + d[:24], "rk_test_" + d[:24], "whsec_" + d[:32]},
		"anthropic-key":      {"sk-ant-api03-" + d[:93]},
		"openrouter-key":     {"sk-or-v1-" + hex[:64]},
		"openai-key":         {"sk-proj-" + d[:60], "sk-" + d[:48]},
		"langfuse-key":       {"sk-lf-" + "3f9a1c7e-5b2d-4064-8f9a-1c7e5b2d8064"},
		"groq-key":           {"gsk_" + d[:52]},
		"xai-key":            {"xai-" + d[:80]},
		"perplexity-key":     {"pplx-" + d[:48]},
		"replicate-key":      {"r8_" + d[:37]},
		"huggingface-token":  {"hf_" + d[:34]},
		"langsmith-key":      {"lsv2_pt_" + hex[:32] + "_" + hex[:10]},
		"google-key":         {"AIza" + d[:35]},
		"google-secret":      {"GOCSPX-" + d[:28]},
		"google-token":       {"ya29." + d[:60]},
		"npm-token":          {"npm_" + d[:36]},
		"pypi-token":         {"pypi-AgEIcHlwaS5vcmc" + d[:70]},
		"rubygems-key":       {"rubygems_" + hex[:48]},
		"docker-token":       {"dckr_pat_" + d[:27]},
		"digitalocean-token": {"dop_v1_" + hex[:64]},
		"sendgrid-key":       {"SG." + d[:22] + "." + d[:43]},
		"twilio-key":         {"SK" + hex[:32]},
		"shopify-token":      {"shpat_" + hex[:32]},
		"databricks-token":   {"dapi" + hex[:32]},
		"linear-key":         {"lin_api_" + d[:40]},
		"notion-token":       {"ntn_" + d[:46]},
		"vault-token":        {"hvs." + d[:90]},
		"doppler-token":      {"dp.pt." + d[:43]},
		"postman-key":        {"PMAK-" + hex[:24] + "-" + hex[:34]},
		"grafana-token":      {"glsa_" + d[:32] + "_" + hex[:8]},
		"newrelic-key":       {"NRAK-" + d[:27]},
		"sentry-token":       {"sntrys_" + d[:60]},
		"planetscale-token":  {"pscale_tkn_" + d[:43]},
		"supabase-token":     {"sbp_" + hex[:40]},
		"render-key":         {"rnd_" + d[:28]},
		"figma-token":        {"figd_" + d[:40]},
		"dynatrace-token":    {"dt0c01." + d[:24] + "." + d[:64]},
		"posthog-key":        {"phx_" + d[:43]},
		"tailscale-key":      {"tskey-auth-" + d[:30]},
		"fly-token":          {"fm2_" + d[:80]},
		"age-key":            {"AGE-SECRET-KEY-1" + strings.ToUpper(d[:58])},
		"1password-token":    {"ops_eyJ" + d[:150]},
		"jwt":                {part + "." + part + "." + d[:43]},
		"private-key":        {key("RSA ", "\n"), key("OPENSSH ", "\n"), key("", "\r\n"), key("EC ", `\n`), key("ENCRYPTED ", `\\n`)},
	}
}

// key is a private key whose lines end in a way.
func key(kind, end string) string {
	var b strings.Builder
	b.WriteString("-----" + "BEGIN " + kind + "PRIVATE " + "KEY-----" + end)
	for range 6 {
		b.WriteString(strings.Repeat(drawn, 2)[:64] + end)
	}
	b.WriteString(drawn[:17] + "=" + end + "-----" + "END " + kind + "PRIVATE " + "KEY-----")
	return b.String()
}

var quick = redact.New(redact.Options{})

// survives reports whether more than a few characters of a secret are in text.
func survives(text []byte, secret string) bool {
	if parts := strings.Split(secret, "-----"); len(parts) > 2 {
		secret = parts[2] // of a key what lies between its headings
	}
	tail := secret[len(secret)/2:]
	for i := 0; i+8 <= len(tail); i++ {
		if bytes.Contains(text, []byte(tail[i:i+8])) {
			return true
		}
	}
	return false
}

func TestSecretsOfEveryFormAreCut(t *testing.T) {
	for rule, list := range secrets() {
		for _, secret := range list {
			for _, around := range []string{"%s", "use %s here", "X=%s\n", "(%s)", "'%s',", "a/%s,b", "-H \"k: %s\"", "<k>%s</k>", "see %s."} {
				text := fmt.Sprintf(around, secret)
				got, report := quick.Text([]byte(text))
				if want := fmt.Sprintf(around, "[redacted:"+rule+"]"); string(got) != want || report.Total() != 1 || report[rule] != 1 {
					t.Errorf("%s in %q: %q, %v", rule, around, got, report)
				}
			}
		}
	}
}

func TestNoKeyHidesASecret(t *testing.T) {
	names := []string{
		"id", "uuid", "path", "file_path", "signature", "data", "image", "source", "media_type", "sha256", "commit", "type", "cwd",
		"sessionId", "tool_use_id", "thinking", "", "0", "é", "a.b", "redacted",
	}
	for rule, list := range secrets() {
		for _, secret := range list {
			for i, name := range names {
				var doc any = secret
				for depth := range i * 20 {
					if depth%2 == 0 {
						doc = []any{depth, doc}
					} else {
						doc = map[string]any{name: doc, "n": depth}
					}
				}
				b, err := json.Marshal(map[string]any{name: doc})
				if err != nil {
					t.Fatal(err)
				}
				got, report, err := quick.JSON(b)
				if err != nil || !json.Valid(got) || survives(got, secret) || report[rule] != 1 {
					t.Errorf("%s under %q: %v, %v, %.200s", rule, name, err, report, got)
				}
			}
		}
	}
}

func TestASecretInTheNameOfAMemberIsCut(t *testing.T) {
	secret := secrets()["github-token"][0]
	got, _, err := quick.JSON([]byte(`{"` + secret + `":{"n":1}}`))
	if err != nil || string(got) != `{"[redacted:github-token]":{"n":1}}` {
		t.Errorf("%s, %v", got, err)
	}
}

func TestEscapesHideNothing(t *testing.T) {
	secret := secrets()["aws-access-key"][0]
	coded := `\u0041\u004bIA` + secret[4:]
	for _, c := range []struct{ in, want string }{
		{`{"a":"` + coded + `"}`, `{"a":"[redacted:aws-access-key]"}`},
		{`["\ud83d\ude00` + coded + `\n"]`, `["\ud83d\ude00[redacted:aws-access-key]\n"]`},
		{`["{\"a\":\"` + strings.ReplaceAll(coded, `\`, `\\`) + `\"}"]`, `["{\"a\":\"[redacted:aws-access-key]\"}"]`},
		{`["\n` + secret + `\n"]`, `["\n[redacted:aws-access-key]\n"]`},
		{`["\\n` + secret + `\\n"]`, `["\\n[redacted:aws-access-key]\\n"]`},
		{`["\/` + secret + `"]`, `["\/[redacted:aws-access-key]"]`},
		{`["\ud800` + secret + `x"]`, `["\ud800` + secret + `x"]`},
	} {
		got, _, err := quick.JSON([]byte(c.in))
		if err != nil || string(got) != c.want {
			t.Errorf("%s: %s, %v, want %s", c.in, got, err, c.want)
		}
	}
	nested := `"` + secret + `"`
	for range 4 {
		b, err := json.Marshal(map[string]any{"x": json.RawMessage(nested)})
		if err != nil {
			t.Fatal(err)
		}
		if b, err = json.Marshal(string(b)); err != nil {
			t.Fatal(err)
		}
		nested = string(b)
	}
	got, report, err := quick.JSON([]byte(nested))
	if err != nil || survives(got, secret) || report["aws-access-key"] != 1 {
		t.Errorf("four times in strings: %s, %v, %v", got, report, err)
	}
}

func TestOnlySecretsChangeInJSON(t *testing.T) {
	secret := secrets()["npm-token"][0]
	in := "{ \"a\" :\t1e5, \"b\": [ true,null, 0.10 ] , \"é\\u00e9\\/\": \"x\\u0020" + secret + "\\ty\", \"a\": \"\xff\" }\n"
	want := strings.Replace(in, secret, "[redacted:npm-token]", 1)
	got, report, err := quick.JSON([]byte(in))
	if err != nil || string(got) != want || report.String() != "1 npm-token" {
		t.Errorf("%q, %v, %v", got, report, err)
	}
	if _, _, err := quick.JSON([]byte(`{"a":1}{"b":2}`)); err == nil {
		t.Error("two values are taken for one")
	}
}

func TestWhatIsAssignedToASecretNameIsCut(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{`password = "hunter2!"`, `password = "[redacted:password]"`},
		{`DB_PASSWORD=s3cr-et,9$x`, `DB_PASSWORD=[redacted:password]`},
		{`export PGPASSWORD=abc12345`, `export PGPASSWORD=[redacted:password]`},
		{`"dbPassword": "pa55word"`, `"dbPassword": "[redacted:password]"`},
		{`{\"password\": \"pa55word\"}`, `{\"password\": \"[redacted:password]\"}`},
		{`Server=db;User Id=sa;Password=Zx91!kkq;Encrypt=yes`, `Server=db;User Id=sa;Password=[redacted:password];Encrypt=yes`},
		{`AccountName=x;AccountKey=` + drawn + `==;End=1`, `AccountName=x;AccountKey=[redacted:secret];End=1`},
		{`aws_secret_access_key = ` + drawn[:40], `aws_secret_access_key = [redacted:secret]`},
		{`api_key: '` + drawn[:32] + `'`, `api_key: '[redacted:secret]'`},
		{`clientSecret => "` + drawn[:24] + `"`, `clientSecret => "[redacted:secret]"`},
		{`config["auth_token"] = "` + drawn[:24] + `"`, `config["auth_token"] = "[redacted:secret]"`},
		{`GET /x?a=1&access_token=` + drawn[:24] + `&b=2`, `GET /x?a=1&access_token=[redacted:secret]&b=2`},
		{`tool --token ` + drawn[:24] + ` --verbose`, `tool --token [redacted:secret] --verbose`},
		{`tool --db-password=h4rd2gue run`, `tool --db-password=[redacted:password] run`},
		{`<password>pa55word</password>`, `<password>[redacted:password]</password>`},
		{`X-Api-Key: ` + drawn[:24], `X-Api-Key: [redacted:secret]`},
		{`Private-Token: ` + drawn[:20], `Private-Token: [redacted:secret]`},
		{`Authorization: Basic dXNlcjpwYXNzdzByZA==`, `Authorization: Basic [redacted:authorization]`},
		{`-H "Authorization: Bearer ` + drawn + `"`, `-H "Authorization: Bearer [redacted:authorization]"`},
		{`authorization: ` + drawn, `authorization: [redacted:authorization]`},
		{`["x", "Bearer ` + drawn + `"]`, `["x", "Bearer [redacted:bearer-token]"]`},
		{`postgres://pay:s3cret@db/pay`, `postgres://pay:[redacted:url-password]@db/pay`},
		{`https://x-access-token:` + drawn + `@github.com/a/b`, `https://x-access-token:[redacted:url-password]@github.com/a/b`},
		{`amqp://u:p@ss:w@rd@h:1/`, `amqp://u:[redacted:url-password]@h:1/`},
		{`https://` + drawn + `@host/x`, `https://[redacted:url-password]@host/x`},
	} {
		if got, _ := quick.Text([]byte(c.in)); string(got) != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.in, got, c.want)
		}
	}
	for _, c := range []struct{ in, want string }{
		{`{"password":"pa55word"}`, `{"password":"[redacted:password]"}`},
		{`{"headers":{"Authorization":"Bearer ` + drawn + `"}}`, `{"headers":{"Authorization":"Bearer [redacted:authorization]"}}`},
		{`{"apiKey":["` + drawn + `"]}`, `{"apiKey":["[redacted:secret]"]}`},
		{`[{"name":"DB_PASSWORD","value":"pa55word"}]`, `[{"name":"DB_PASSWORD","value":"[redacted:password]"}]`},
		{`{"cmd":"psql \"password=pa55word host=x\""}`, `{"cmd":"psql \"password=[redacted:password] host=x\""}`},
		{`{"pass":"pa55word"}`, `{"pass":"[redacted:password]"}`},
		{`{"password":12345678,"token":true}`, `{"password":12345678,"token":true}`},
	} {
		got, _, err := quick.JSON([]byte(c.in))
		if err != nil || string(got) != c.want {
			t.Errorf("%s\n got %s, %v\nwant %s", c.in, got, err, c.want)
		}
	}
}

func TestEvidenceStays(t *testing.T) {
	all := redact.New(redact.Options{Homes: true, Mail: true})
	for _, text := range []string{
		"commit 4af1c0ffee5ba2d1e0c9b8a7968574635241f0ab\nparent 9f2c0ffee5ba2d1e0c9b8a7968574635241f0abc",
		"4af1c0ffee5ba2d1e0c9b8a7968574635241f0ab4af1c0ffee5ba2d1e0c9b8a7  dist/stemma",
		`"integrity": "sha512-3f9a1c7e5b2d8064QX7RKT2VXW9ZBN4M3f9a1c7e5b2d8064QX7RKT2VXW9ZBN4M3f9a1c7e5b2d8064QX7RKT2VXW9ZBN==",`,
		"golang.org/x/mod v0.42.0 h1:3f9a1c7e5b2d8064QX7RKT2VXW9ZBN4M3f9a1c7e5b=",
		`"sessionId":"5c1e7d3a-0b9f-4e2d-8c6a-1f3e5d7c9b0a","uuid":"0a9b8c7d-6e5f-4a3b-8c1d-0e9f8a7b6c5d"`,
		`"session_token": "5c1e7d3a-0b9f-4e2d-8c6a-1f3e5d7c9b0a"`,
		`{"id":"toolu_01A2b3C4d5E6f7G8h9J0kLmN","name":"Edit"}`,
		`{"id":"msg_01A2b3C4d5E6f7G8h9J0kLmN","model":"claude-opus-4-6-20260205"}`,
		`"input_tokens": 12345678901234567, "max_tokens": 4096, "tokenizer": "cl100k_base"`,
		`token := scanner.NextToken2(input)`, `password := os.Getenv("DB_PASSWORD1")`, `secret = config.values[0].secret1`,
		`password: string; token: Token2<string>`, `PASSWORD=${DB_PASSWORD_1}`, `api_key = "<your key 12345678>"`,
		`token_type: "urn:ietf:params:oauth:token-type:jwt12345"`, `"password": "Enter your password, at least 8 characters"`,
		`Authorization: Bearer $TOKEN`, `Authorization: Bearer <token>`, `"Authorization: Bearer #{Helper1.token}"`, `"Authorization": "Bearer " + token`,
		`strings.Contains(s, "-----BEGIN PRIVATE ` + `KEY-----") || x`, `--- PASS: TestParse2Refs_WithAnOddName (0.00s)`,
		"PWD=/srv/pay1\nOLDPWD=~/x2", "lines that pass: `x := 55`",
		`next_page_token: "CAESBwoFdG9rZW4xMjM0NTY3ODk"`, `https://github.com/acme/pay/pull/139#issuecomment-1`, `ssh://git@github.com/acme/pay`,
		`git@github.com:acme/pay.git noreply@anthropic.com ann@example.com`, `react@18.2.0 @scope/pkg@1.2.3 user@host`,
		`https://acme.dev/home/ann /opt/home/ann /homework/x /Users`, `/root/pay.go`,
	} {
		if got, report := all.Text([]byte(text)); string(got) != text {
			t.Errorf("%s\n got %s (%v)", text, got, report)
		}
	}
}

func TestAKeyGoesWhole(t *testing.T) {
	whole := key("RSA ", "\n")
	lines := strings.Split(whole, "\n")
	var numbered, joined []string
	for i, l := range lines {
		numbered = append(numbered, fmt.Sprintf("%6d\u2192%s", i+1, l))
		joined = append(joined, fmt.Sprintf("  %q +", l+"\n"))
	}
	for name, text := range map[string]string{
		"numbered": strings.Join(numbered, "\n"), "joined": strings.Join(joined, "\n"), "on one line": strings.ReplaceAll(whole, "\n", " "),
		"cut short": strings.Join(lines[:5], "\n"), "with a header": strings.Replace(whole, "\n", "\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,3F9A\n\n", 1),
		"in JSON in text": `{"k":"` + strings.ReplaceAll(whole, "\n", `\n`) + `"}`,
	} {
		got, report := quick.Text([]byte("before\n" + text + "\nafter"))
		if survives(got, drawn+drawn) || report["private-key"] != 1 || !bytes.HasPrefix(got, []byte("before\n")) || !bytes.HasSuffix(got, []byte("\nafter")) {
			t.Errorf("%s: %s", name, got)
		}
	}
	code := `if strings.HasPrefix(x, "-----BEGIN PRIVATE ` + `KEY-----") {` + "\n" + strings.Repeat("\tcall(some, arguments, of, code)\n", 20) + `"-----END PRIVATE ` + `KEY-----"`
	if got, _ := quick.Text([]byte(code)); string(got) != code {
		t.Errorf("code became %s", got)
	}
}

func TestHomesAndMailAreCutIfAsked(t *testing.T) {
	r := redact.New(redact.Options{Homes: true, Mail: true})
	for _, c := range []struct{ in, want string }{
		{"/home/ann/pay/x.go", "~/pay/x.go"},
		{"cd /Users/ann.lee && ls", "cd ~ && ls"},
		{`open C:\Users\ann\pay\x.go`, `open ~\pay\x.go`},
		{`"C:\\Users\\ann\\x.go"`, `"~\\x.go"`},
		{"C:/Users/ann/x /mnt/c/Users/ann/x /var/home/ann/x", "~/x ~/x ~/x"},
		{"file:///home/ann/x PATH=/bin:/home/ann/bin:/x", "file://~/x PATH=/bin:~/bin:/x"},
		{"~/.claude/projects/-Users-ann-work-pay/s.jsonl", "~/.claude/projects/-Users-~-work-pay/s.jsonl"},
		{"Ann Lee <ann.lee+git@corp.acme.io>, bob@acme.dev.", "Ann Lee <[redacted:mail]>, [redacted:mail]."},
		{"12345+ann@users.noreply.github.com", "[redacted:mail]"},
		{`["/home/ann","\/home\/ann\/x","ann\u0040acme.dev"]`, `["~","~\/x","[redacted:mail]"]`},
	} {
		if got, _ := r.Body([]byte(c.in)); string(got) != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.in, got, c.want)
		}
		if got, report := quick.Body([]byte(c.in)); string(got) != c.in {
			t.Errorf("%s without being asked: %s, %v", c.in, got, report)
		}
	}
}

func TestABodyIsReadAsWhatItIs(t *testing.T) {
	secret := secrets()["stripe-key"][0]
	row := `{"a":"` + secret + `","password":"pa55word"}`
	clean := `{"a":"[redacted:stripe-key]","password":"[redacted:password]"}`
	for _, c := range []struct{ in, want string }{
		{row, clean},
		{row + "\n" + row + "\n", clean + "\n" + clean + "\n"},
		{row + "\r\n" + `{"a":"` + secret + "\n" + row, clean + "\r\n" + `{"a":"[redacted:stripe-key]` + "\n" + clean},
		{"plain " + secret + "\n", "plain [redacted:stripe-key]\n"},
		{"one\n" + key("", "\n") + "\n" + row, "one\n[redacted:private-key]\n" + clean},
		{"", ""},
	} {
		if got, _ := quick.Body([]byte(c.in)); string(got) != c.want {
			t.Errorf("%q\n got %q\nwant %q", c.in, got, c.want)
		}
	}
}

func TestAReportHasNoSecret(t *testing.T) {
	var b bytes.Buffer
	for _, list := range secrets() {
		for _, secret := range list {
			b.WriteString(secret + "\n")
		}
	}
	_, report := quick.Text(b.Bytes())
	if diff := cmp.Diff(slices.Sorted(maps.Keys(secrets())), slices.Sorted(maps.Keys(report))); diff != "" {
		t.Error(diff)
	}
	for rule := range report {
		if strings.Trim(rule, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
			t.Errorf("the rule %q", rule)
		}
	}
	if got := (redact.Report{}).String(); got != "nothing" {
		t.Errorf("an empty report says %q", got)
	}
}
