package api_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stemma-dev/stemma/ingest/sync/api"
)

const token = "a token that nobody may see"

// A clock is one that goes on only while somebody sleeps.
type clock struct{ t time.Time }

func (c *clock) now() time.Time { return c.t }

func (c *clock) sleep(ctx context.Context, d time.Duration) error {
	c.t = c.t.Add(d)
	return ctx.Err()
}

func noon() *clock { return &clock{time.Date(2026, 9, 15, 12, 0, 0, 0, time.UTC)} }

// open asks a server that answers the nth request, from 1 on, as answer says.
func open(t *testing.T, c *clock, answer func(n int, w http.ResponseWriter, r *http.Request)) (*api.Client, *int) {
	t.Helper()
	n := new(int)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*n++
		if r.Header.Get("Authorization") != "Bearer "+token {
			t.Errorf("%s is asked without the token", r.URL)
		}
		answer(*n, w, r)
	}))
	t.Cleanup(s.Close)
	x, err := api.Open(api.Config{Base: s.URL + "/api", Header: http.Header{"Authorization": {"Bearer " + token}}, Secret: token, Now: c.now, Sleep: c.sleep})
	if err != nil {
		t.Fatal(err)
	}
	return x, n
}

func TestLimitIsWaitedFor(t *testing.T) {
	for about, c := range map[string]struct {
		code   int
		header map[string]string
		body   string
		wait   time.Duration
	}{
		"seconds":             {429, map[string]string{"Retry-After": "90"}, "", 90 * time.Second},
		"a date":              {429, map[string]string{"Retry-After": "Tue, 15 Sep 2026 12:05:00 GMT"}, "", 5 * time.Minute},
		"GitHub's hour":       {403, map[string]string{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": fmt.Sprint(noon().t.Add(40 * time.Minute).Unix())}, "", 40*time.Minute + time.Second},
		"GitLab's minute":     {429, map[string]string{"RateLimit-Reset": fmt.Sprint(noon().t.Add(time.Minute).Unix())}, "", 61 * time.Second},
		"nothing is said":     {429, nil, "", time.Minute},
		"it is ill":           {502, nil, "", time.Second},
		"it is being mended":  {503, map[string]string{"Retry-After": "7"}, "", 7 * time.Second},
		"a clock before ours": {403, map[string]string{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": fmt.Sprint(noon().t.Add(-time.Hour).Unix())}, "", time.Second},
		"a secondary limit":   {403, nil, `{"message":"You have exceeded a secondary rate limit. Please wait a few minutes before you try again."}`, time.Minute},
		"a secondary limit while the hour's is not met": {
			403,
			map[string]string{"X-RateLimit-Remaining": "4000", "X-RateLimit-Reset": fmt.Sprint(noon().t.Add(40 * time.Minute).Unix())},
			`{"message":"You have exceeded a secondary rate limit."}`, time.Minute,
		},
		"its former name": {403, nil, `{"message":"You have triggered an abuse detection mechanism."}`, time.Minute},
	} {
		t.Run(about, func(t *testing.T) {
			clock := noon()
			x, n := open(t, clock, func(n int, w http.ResponseWriter, _ *http.Request) {
				if n > 1 {
					_, _ = io.WriteString(w, `{"a":7}`)
					return
				}
				for name, value := range c.header {
					w.Header().Set(name, value)
				}
				w.WriteHeader(c.code)
				_, _ = io.WriteString(w, c.body)
			})
			a, err := x.Get(t.Context(), "/x", "")
			if waited := clock.t.Sub(noon().t); err != nil || a.Value.At("a").Int() != 7 || waited != c.wait || *n != 2 {
				t.Errorf("%v, %d requests, waited %s, want %s", err, *n, waited, c.wait)
			}
		})
	}
}

func TestWaitingHasAnEnd(t *testing.T) {
	clock := noon()
	x, n := open(t, clock, func(_ int, w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
	var status *api.StatusError
	if _, err := x.Get(t.Context(), "/x", ""); !errors.As(err, &status) || status.Code != 502 || *n != 6 || clock.t.Sub(noon().t) > 5*time.Minute {
		t.Errorf("%v after %d tries and %s", err, *n, clock.t.Sub(noon().t))
	}
	x, n = open(t, clock, func(_ int, w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "86400")
		w.WriteHeader(http.StatusTooManyRequests)
	})
	if _, err := x.Get(t.Context(), "/x", ""); err == nil || *n != 1 || !strings.Contains(err.Error(), "429") {
		t.Errorf("%v after %d tries: a day is waited for", err, *n)
	}
	clock = noon()
	x, n = open(t, clock, func(_ int, w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, `{"message":"You have exceeded a secondary rate limit."}`)
	})
	if _, err := x.Get(t.Context(), "/x", ""); !errors.As(err, &status) || !status.Limited || *n != 6 || clock.t.Sub(noon().t) > time.Hour {
		t.Errorf("%v after %d tries and %s", err, *n, clock.t.Sub(noon().t))
	}
}

func TestWhatStandsIsNotTriedAgain(t *testing.T) {
	for _, code := range []int{401, 403, 404, 410, 422} {
		x, n := open(t, noon(), func(_ int, w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(code)
			_, _ = io.WriteString(w, `{"message":"not for `+token+`"}`)
		})
		_, err := x.Get(t.Context(), "/x?secret=1", "")
		var status *api.StatusError
		if !errors.As(err, &status) || status.Code != code || *n != 1 {
			t.Errorf("%d: %v after %d tries", code, err, *n)
		}
		if !strings.Contains(err.Error(), "not for …") || strings.Contains(err.Error(), token) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%d says %v", code, err)
		}
	}
}

func TestTokenGoesToNoOtherHost(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the other host was asked") }))
	defer other.Close()
	x, _ := open(t, noon(), func(_ int, w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/api/away":
			http.Redirect(w, r, other.URL+"/api/x", http.StatusFound)
		case "/api/old":
			http.Redirect(w, r, "/api/new", http.StatusMovedPermanently)
		case "/api/round":
			http.Redirect(w, r, "/api/round", http.StatusFound)
		default:
			w.Header().Set("Link", `<`+other.URL+`/api/new?page=2&x=%2F>; rel="next", <`+other.URL+`/api/new?page=9>; rel="last"`)
			_, _ = io.WriteString(w, `[]`)
		}
	})
	if _, err := x.Get(t.Context(), "/away", ""); err == nil || !strings.Contains(err.Error(), "another host") || strings.Contains(err.Error(), token) {
		t.Errorf("led away: %v", err)
	}
	if _, err := x.Get(t.Context(), "/round", ""); err == nil {
		t.Error("it goes round and round")
	}
	if a, err := x.Get(t.Context(), "/old", ""); err != nil || a.Next != "page=2&x=%2F" {
		t.Errorf("a renamed thing: %+v, %v", a, err)
	}
}

func TestAnswersAreBounded(t *testing.T) {
	x, n := open(t, noon(), func(_ int, w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/api/large":
			for range 25 {
				_, _ = w.Write(make([]byte, 1<<20))
			}
		case "/api/null":
			_, _ = io.WriteString(w, "null\n")
		default:
			_, _ = io.WriteString(w, "<html>")
		}
	})
	for _, path := range []string{"/large", "/html"} {
		if _, err := x.Get(t.Context(), path, ""); err == nil {
			t.Errorf("%s was read", path)
		}
	}
	if _, err := x.Get(t.Context(), "/null", ""); err != nil || *n != 3 {
		t.Errorf("an empty list: %v, %d requests", err, *n)
	}
}

func TestUnchangedIsSaid(t *testing.T) {
	x, _ := open(t, noon(), func(_ int, w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"seven"`)
		if r.Header.Get("If-None-Match") == `"seven"` {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		_, _ = io.WriteString(w, `[1]`)
	})
	first, err := x.Get(t.Context(), "/x", "")
	if err != nil || first.ETag != `"seven"` || first.Unchanged {
		t.Fatalf("%+v, %v", first, err)
	}
	if again, err := x.Get(t.Context(), "/x", first.ETag); err != nil || !again.Unchanged {
		t.Errorf("%+v, %v", again, err)
	}
}

func TestCrookedAddressesAreRefused(t *testing.T) {
	for _, base := range []string{"", "git.example", "http://git.example", "http://127.0.0.1.git.example", "http://localhost.git.example", "ftp://git.example", "https://ada:" + token + "@git.example", "https://git.example?private_token=" + token, "://"} {
		_, err := api.Open(api.Config{Base: base})
		if err == nil || strings.Contains(err.Error(), token) {
			t.Errorf("%q: %v", base, err)
		}
	}
	for _, base := range []string{"https://git.example", "https://git.example/forge/", "http://localhost:3000", "http://127.0.0.1:3000", "http://[::1]:3000"} {
		if _, err := api.Open(api.Config{Base: base}); err != nil {
			t.Errorf("%q: %v", base, err)
		}
	}
}

func TestInterruptedWaitEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	x, n := open(t, noon(), func(_ int, w http.ResponseWriter, _ *http.Request) {
		cancel()
		w.WriteHeader(http.StatusBadGateway)
	})
	if _, err := x.Get(ctx, "/x", ""); err == nil || *n != 1 {
		t.Errorf("%v after %d tries", err, *n)
	}
}
