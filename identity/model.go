package identity

import (
	"slices"
	"strings"

	"github.com/stemma-dev/stemma"
)

// maxName bounds what is looked at: no real name of a model or agent is longer.
const maxName = 256

// unnamed are what sources write when they do not know the model, and names
// of whole product lines, which do not tell it either.
var unnamed = []string{
	"", "unknown", "default", "auto", "<synthetic>", "synthetic", "none", "null", "nil", "undefined", "n/a", "-", "?",
	"unspecified", "model", "ai", "llm", "agent", "inherit", "best",
	"claude", "claude code", "claude-code", "anthropic", "gpt", "chatgpt", "openai", "codex", "gemini", "copilot",
	"github copilot", "cursor", "devin", "aider", "windsurf", "grok", "llama",
}

// providers tells who makes a model from the first word of its name.
var providers = map[string]string{
	"claude": "anthropic",
	"gpt":    "openai", "chatgpt": "openai", "codex": "openai", "o": "openai", "davinci": "openai",
	"gemini": "google", "gemma": "google",
	"grok":     "xai",
	"composer": "cursor", "cursor": "cursor",
	"llama": "meta", "codellama": "meta",
	"mistral": "mistral", "codestral": "mistral", "devstral": "mistral", "magistral": "mistral", "mixtral": "mistral", "ministral": "mistral",
	"deepseek": "deepseek",
	"qwen":     "alibaba", "qwq": "alibaba",
	"kimi": "moonshot", "moonshot": "moonshot",
	"glm":     "zhipu",
	"minimax": "minimax",
	"command": "cohere",
	"nova":    "amazon", "titan": "amazon",
	"phi": "microsoft",
	"swe": "cognition",
}

// Unlisted is the provider of a model whose name does not tell one.
const Unlisted = "unlisted"

// efforts are words in names of Anthropic's models that tell how one is run, not
// which one it is.
var efforts = []string{"low", "medium", "high", "xhigh", "max", "fast"}

// ParseModel reads what the name of a model tells. Its Name is the provider's own
// for it, however a source spells that: "Claude Opus 4.6 (1M context)" and
// "claude-4.6-opus-high-thinking" are claude-opus-4-6. A version that a name does
// not tell, such as the date of one, is not made up.
//
// A name that does not say which model it is ("", "auto", "<synthetic>",
// "Claude") gives a Model that is not Named.
func ParseModel(name string) Model {
	name = strings.TrimSpace(stemma.CleanText(name, maxName))
	if i := strings.LastIndexByte(name, '/'); i >= 0 && i < len(name)-1 && !strings.ContainsAny(name, " <>") {
		name = name[i+1:]
	}
	m := Model{Name: name, Provider: Unlisted}
	bare := bareModel(name)
	if slices.Contains(unnamed, strings.ToLower(name)) || slices.Contains(unnamed, bare) {
		return m
	}
	words, version := modelWords(bare)
	if len(words) > 0 {
		switch words[0] {
		case "opus", "sonnet", "haiku": // the short names of one provider
			words = slices.Insert(words, 0, "claude")
		}
		if p := providers[words[0]]; p != "" {
			m.Provider = p
		}
	}
	if m.Provider == "anthropic" {
		words = slices.DeleteFunc(words, func(w string) bool { return slices.Contains(efforts, w) })
	}
	m.Family, m.Version, m.Named = strings.Join(words, "-"), version, true
	m.Name = ownName(m, words)
	return m
}

// plain are words in names of Anthropic's that are written as they are.
var plain = []string{"code", "instant"}

// ownName is the name that the provider of a model gives it. It reads as m does.
func ownName(m Model, words []string) string {
	if m.Provider == "anthropic" && len(words) == 2 && m.Version != "" && !slices.Contains(plain, words[1]) {
		own := anthropicName(words, m.Version, aDate(m.Name))
		if again, version := modelWords(own); version == m.Version && slices.Equal(again, words) {
			return own
		}
	}
	if m.Provider != Unlisted && strings.Contains(m.Name, " ") { // made to be read
		return strings.ReplaceAll(bareModel(m.Name), " ", "-")
	}
	return m.Name
}

// anthropicName has the version of a model last, as it is since the fourth generation,
// and before the family where it is of the third.
func anthropicName(words []string, version, date string) string {
	version = strings.ReplaceAll(version, ".", "-")
	parts := []string{words[0], words[1], version}
	if version[0] == '3' {
		parts = []string{words[0], version, words[1]}
	}
	if date != "" {
		parts = append(parts, date)
	}
	return strings.Join(parts, "-")
}

// aDate finds a date such as 20250929 in a name.
func aDate(name string) string {
	for _, w := range strings.FieldsFunc(name, func(r rune) bool { return r < '0' || r > '9' }) {
		if len(w) == len("20250929") && strings.HasPrefix(w, "20") {
			return w
		}
	}
	return ""
}

// bareModel strips what stands around a model's name: "(1M context)", "[1m]",
// "@20250514", ":0", and the region and provider in front of it.
func bareModel(name string) string {
	s := strings.ToLower(name)
	if i := strings.IndexAny(s, "([@:"); i > 0 {
		s = s[:i]
	}
	if i := strings.LastIndex(s, "anthropic."); i >= 0 {
		s = s[i+len("anthropic."):]
	}
	return strings.TrimSpace(s)
}

// modelWords parts a name into its words and its version.
func modelWords(bare string) (words []string, version string) {
	afterNumber := false
	for _, w := range strings.FieldsFunc(bare, func(r rune) bool { return r == '-' || r == '_' || r == ' ' || r == '/' }) {
		if w = strings.Trim(w, "."); w == "" {
			continue
		}
		letters := strings.TrimRight(w, "0123456789.")
		number := w[len(letters):]
		switch {
		case letters == "" && len(number) > 3 && !strings.Contains(number, "."):
			afterNumber = false // a date
		case letters == "" && version == "":
			version, afterNumber = number, true
		case letters == "" && afterNumber && len(number) <= 2:
			version += "." + number
			afterNumber = false
		case letters == "v" && number != "":
			if version == "" {
				version = number
			}
			afterNumber = false
		case w == "latest" || w == "preview" || w == "exp" || w == "experimental" || w == "thinking":
			afterNumber = false
		case version == "" && number == "" && w[0] >= '0' && w[0] <= '9': // "4o"
			version, afterNumber = w, false
		case version == "" && number != "" && len(words) == 0: // "qwen3", "o4"
			words, version, afterNumber = append(words, letters), number, true
		case version == "" && number != "" && len(letters) == 1: // "k2"
			version, afterNumber = w, false
		default:
			words, afterNumber = append(words, w), false
		}
	}
	return words, version
}
