package page

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"path"
)

//go:embed static
var static embed.FS

var mediaTypes = map[string]string{".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}

// An Asset is a file that pages refer to as /static/NAME: the style sheet, a
// script, the icon.
type Asset struct {
	Media string
	Data  []byte
	Tag   string // changes with the data
}

// FindAsset returns the asset of a name, if there is one.
func FindAsset(name string) (Asset, bool) {
	media, ok := mediaTypes[path.Ext(name)]
	data, err := static.ReadFile("static/" + name)
	if !ok || err != nil {
		return Asset{}, false
	}
	sum := sha256.Sum256(data)
	return Asset{Media: media, Data: data, Tag: `"` + hex.EncodeToString(sum[:8]) + `"`}, true
}
