package secret

import (
	"bytes"
	"math"
)

// A prefix is a form of token that is known by its beginning.
type prefix struct {
	text  string
	rule  string
	chars *[256]bool // what may follow
	min   int        // how many of them must follow
	fixed bool       // and no more of them, nor a letter or digit
	mixed bool       // and must be no word: letters and digits, unevenly
}

// What tokens are made of.
var (
	alnum = byteSet("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")
	word  = byteSet("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")
	dots  = byteSet("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.")
	coded = byteSet("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.+/=~")
	upper = byteSet("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
	hex   = byteSet("0123456789abcdef")
)

func byteSet(chars string) *[256]bool {
	var t [256]bool
	for _, c := range []byte(chars) {
		t[c] = true
	}
	return &t
}

// prefixes are the tokens that are known. Of several that begin alike, the
// first one that fits is taken.
var prefixes = []prefix{
	{"AKIA", "aws-access-key", upper, 16, true, false},
	{"ASIA", "aws-access-key", upper, 16, true, false},
	{"ABIA", "aws-access-key", upper, 16, true, false},
	{"ACCA", "aws-access-key", upper, 16, true, false},
	{"ABSK", "aws-bedrock-key", coded, 60, false, true},

	{"ghp_", "github-token", alnum, 30, false, false},
	{"gho_", "github-token", alnum, 30, false, false},
	{"ghu_", "github-token", alnum, 30, false, false},
	{"ghs_", "github-token", dots, 30, false, true},
	{"ghr_", "github-token", alnum, 30, false, false},
	{"github_pat_", "github-token", word, 30, false, true},

	{"glpat-", "gitlab-token", dots, 20, false, true},
	{"gldt-", "gitlab-token", word, 20, false, true},
	{"glrt-", "gitlab-token", dots, 20, false, true},
	{"glrtr-", "gitlab-token", dots, 20, false, true},
	{"glcbt-", "gitlab-token", word, 20, false, true},
	{"glptt-", "gitlab-token", word, 20, false, true},
	{"glft-", "gitlab-token", word, 20, false, true},
	{"glsoat-", "gitlab-token", word, 20, false, true},
	{"glimt-", "gitlab-token", word, 20, false, true},
	{"glagent-", "gitlab-token", word, 20, false, true},
	{"glffct-", "gitlab-token", word, 20, false, true},
	{"gloas-", "gitlab-token", word, 20, false, true},
	{"GR1348941", "gitlab-token", word, 20, false, true},
	{"ATBB", "bitbucket-token", alnum, 28, false, true},
	{"ATATT3", "atlassian-token", coded, 60, false, true},
	{"ATCTT3", "atlassian-token", coded, 60, false, true},

	{"xoxb-", "slack-token", word, 20, false, true},
	{"xoxp-", "slack-token", word, 20, false, true},
	{"xoxa-", "slack-token", word, 20, false, true},
	{"xoxo-", "slack-token", word, 20, false, true},
	{"xoxr-", "slack-token", word, 20, false, true},
	{"xoxs-", "slack-token", word, 20, false, true},
	{"xoxc-", "slack-token", word, 20, false, true},
	{"xoxd-", "slack-token", coded, 20, false, true},
	{"xoxe-", "slack-token", word, 20, false, true},
	{"xoxe.", "slack-token", dots, 20, false, true},
	{"xapp-", "slack-token", word, 20, false, true},
	{"hooks.slack.com/services/", "slack-webhook", coded, 30, false, true},
	{"discord.com/api/webhooks/", "discord-webhook", coded, 60, false, true},
	{"discordapp.com/api/webhooks/", "discord-webhook", coded, 60, false, true},

	{"sk_live_", "stripe-key", alnum, 16, false, false},
	{"sk_test_", "stripe-key", alnum, 16, false, false},
	{"rk_live_", "stripe-key", alnum, 16, false, false},
	{"rk_test_", "stripe-key", alnum, 16, false, false},
	{"whsec_", "stripe-key", coded, 24, false, true},

	{"sk-ant-", "anthropic-key", word, 24, false, true},
	{"sk-or-v1-", "openrouter-key", hex, 40, false, false},
	{"sk-proj-", "openai-key", word, 24, false, true},
	{"sk-svcacct-", "openai-key", word, 24, false, true},
	{"sk-admin-", "openai-key", word, 24, false, true},
	{"sk-lf-", "langfuse-key", word, 30, false, true},
	{"sk-", "openai-key", alnum, 32, false, true},
	{"gsk_", "groq-key", alnum, 40, false, true},
	{"xai-", "xai-key", alnum, 40, false, true},
	{"pplx-", "perplexity-key", alnum, 40, false, true},
	{"r8_", "replicate-key", alnum, 36, false, true},
	{"hf_", "huggingface-token", alnum, 30, false, true},
	{"lsv2_", "langsmith-key", word, 40, false, true},

	{"AIza", "google-key", word, 35, true, true},
	{"GOCSPX-", "google-secret", word, 24, false, true},
	{"ya29.", "google-token", dots, 40, false, true},

	{"npm_", "npm-token", alnum, 36, false, true},
	{"pypi-AgE", "pypi-token", word, 40, false, false},
	{"rubygems_", "rubygems-key", hex, 40, false, false},
	{"dckr_pat_", "docker-token", word, 20, false, true},
	{"dckr_oat_", "docker-token", word, 20, false, true},
	{"dop_v1_", "digitalocean-token", hex, 60, false, false},
	{"doo_v1_", "digitalocean-token", hex, 60, false, false},
	{"dor_v1_", "digitalocean-token", hex, 60, false, false},
	{"SG.", "sendgrid-key", dots, 60, false, true},
	{"SK", "twilio-key", hex, 32, true, true},
	{"shpat_", "shopify-token", alnum, 32, false, true},
	{"shpca_", "shopify-token", alnum, 32, false, true},
	{"shppa_", "shopify-token", alnum, 32, false, true},
	{"shpss_", "shopify-token", alnum, 32, false, true},
	{"dapi", "databricks-token", hex, 32, false, true},
	{"lin_api_", "linear-key", alnum, 32, false, true},
	{"lin_oauth_", "linear-key", alnum, 32, false, true},
	{"ntn_", "notion-token", alnum, 40, false, true},
	{"hvs.", "vault-token", word, 24, false, true},
	{"hvb.", "vault-token", word, 24, false, true},
	{"dp.pt.", "doppler-token", alnum, 40, false, true},
	{"dp.st.", "doppler-token", dots, 40, false, true},
	{"PMAK-", "postman-key", word, 50, false, true},
	{"glc_", "grafana-token", coded, 32, false, true},
	{"glsa_", "grafana-token", word, 40, false, true},
	{"NRAK-", "newrelic-key", alnum, 27, false, true},
	{"sntrys_", "sentry-token", coded, 40, false, true},
	{"sntryu_", "sentry-token", hex, 60, false, false},
	{"pscale_tkn_", "planetscale-token", coded, 32, false, true},
	{"pscale_pw_", "planetscale-token", coded, 32, false, true},
	{"sbp_", "supabase-token", hex, 40, false, false},
	{"sb_secret_", "supabase-token", word, 20, false, true},
	{"rnd_", "render-key", alnum, 28, false, true},
	{"figd_", "figma-token", word, 36, false, true},
	{"dt0c01.", "dynatrace-token", dots, 60, false, true},
	{"phx_", "posthog-key", alnum, 36, false, true},
	{"tskey-", "tailscale-key", word, 24, false, true},
	{"fm2_", "fly-token", coded, 60, false, true},
	{"fo1_", "fly-token", word, 40, false, true},
	{"AGE-SECRET-KEY-1", "age-key", upper, 50, false, false},
	{"ops_eyJ", "1password-token", coded, 100, false, true},

	{"eyJ", "jwt", nil, 0, false, false},
	{"Bearer ", "bearer-token", coded, 16, false, true},
	{"bearer ", "bearer-token", coded, 16, false, true},
}

// token looks at a token that begins at i and returns where to go on.
func (s *scanner) token(i int) int {
	for k := range prefixes {
		p := &prefixes[k]
		if p.text[0] != s.b[i] || !bytes.HasPrefix(s.b[i:], []byte(p.text)) {
			continue
		}
		if p.chars == nil {
			return s.jwt(i)
		}
		from := i + len(p.text)
		least := from + p.min
		if least > len(s.b) || !all(s.b[from:least], p.chars) {
			continue
		}
		end := least
		if p.fixed && end < len(s.b) && (isAlnum(s.b[end]) || p.chars[s.b[end]]) {
			continue
		}
		if p.mixed && !isMixed(s.b[from:end]) {
			continue
		}
		for !p.fixed && end < len(s.b) && p.chars[s.b[end]] {
			end++
		}
		if p.chars == dots || p.chars == coded {
			for end > least && s.b[end-1] == '.' { // the end of a sentence
				end--
			}
		}
		if p.rule == "bearer-token" {
			i = from
		}
		return s.cut(p.rule, i, end)
	}
	return i
}

// jwt looks at three parts with dots between, of which the first two are JSON.
func (s *scanner) jwt(i int) int {
	if i < s.noJWT {
		return i
	}
	b, end := s.b, i
	var parts [3]int
	for k := range parts {
		from := end
		for end < len(b) && word[b[end]] {
			end++
		}
		parts[k] = end - from
		if k < 2 {
			if !bytes.HasPrefix(b[from:], []byte("eyJ")) {
				s.noJWT = from
				return i
			}
			if end == len(b) || b[end] != '.' || parts[k] < 10 {
				s.noJWT = end
				return i
			}
			end++
		}
	}
	if parts[2] < 10 {
		s.noJWT = end
		return i
	}
	return s.cut("jwt", i, end)
}

func all(b []byte, of *[256]bool) bool {
	for _, c := range b {
		if !of[c] {
			return false
		}
	}
	return true
}

// isMixed reports whether a token looks drawn by lot: it has a digit and a
// letter, or both cases, and does not repeat itself.
func isMixed(b []byte) bool {
	b = b[:min(len(b), 256)]
	var digits, lower, upper int
	for _, c := range b {
		switch {
		case c >= '0' && c <= '9':
			digits++
		case c >= 'a' && c <= 'z':
			lower++
		case c >= 'A' && c <= 'Z':
			upper++
		}
	}
	return (digits > 0 && lower+upper > 0 || digits == 0 && lower > 2 && upper > 2) && entropy(b) >= 2.5
}

// entropy is Shannon's, in bits a byte.
func entropy(b []byte) float64 {
	var n [256]int
	for _, c := range b {
		n[c]++
	}
	sum := 0.0
	for _, k := range n {
		if k > 0 {
			p := float64(k) / float64(len(b))
			sum -= p * math.Log2(p)
		}
	}
	return sum
}
