package quote

import "testing"

func FuzzPath(f *testing.F) {
	for _, s := range []string{"", "plain", `"`, `"a"`, "a\xffb", "new\nline", `back\slash`, "tab\t", "ü", "\u202e", "\x7f", "\ufffd"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		form := Path(raw)
		if !plain(form) {
			t.Errorf("%q is shown as %q", raw, form)
		}
		if back, err := Raw(form); err != nil || back != raw {
			t.Errorf("%q becomes %q and then %q, %v", raw, form, back, err)
		}
		git := string(Append(nil, "a/", raw))
		if back, err := Raw(git); err != nil || back != "a/"+raw {
			t.Errorf("%q as git writes it: %q and then %q, %v", raw, git, back, err)
		}
		_, _ = Raw(raw)
	})
}

func TestQuotedFormIsGits(t *testing.T) {
	for raw, want := range map[string]string{
		"a\xffb": `"a\377b"`, "a\nb": `"a\nb"`, `"x`: `"\"x"`, "ünï": "ünï", `a"b`: `a"b`, "\x1b[0m": `"\033[0m"`, "": "",
	} {
		if got := Path(raw); got != want {
			t.Errorf("Path(%q) = %s, want %s", raw, got, want)
		}
	}
	for _, bad := range []string{`"`, `"a`, `"\9"`, `"\400"`, `"a"b"`, `"\`, `"\1"`} {
		if got, err := Raw(bad); err == nil {
			t.Errorf("Raw(%s) = %q", bad, got)
		}
	}
}
