package governed

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/stemma-dev/stemma/dashboard/figure"
)

const (
	visitCookie = "stemma_visit"
	visitLasts  = 30 * time.Minute // without a look at the page, the next one is another visit
	visitKept   = 365 * 24 * time.Hour
)

// visits are those that a browser remembers: when the one before began to be over, and when
// the page was looked at last. What cannot be read, or is of tomorrow, was none.
func visits(r *http.Request, now time.Time) (before, last time.Time) {
	c, err := r.Cookie(visitCookie)
	if err != nil {
		return before, last
	}
	first, second, _ := strings.Cut(c.Value, "-")
	return past(first, now), past(second, now)
}

// past is a moment that is written as seconds; zero if it is none.
func past(seconds string, now time.Time) time.Time {
	n, err := strconv.ParseInt(seconds, 10, 64)
	if err != nil || n <= 0 || n > now.Unix() {
		return time.Time{}
	}
	return time.Unix(n, 0).UTC()
}

// LastVisit is when this browser saw the overview before the visit that it makes now; zero
// if it never did.
func LastVisit(r *http.Request, now time.Time) time.Time {
	before, last := visits(r, now)
	if !last.IsZero() && now.Sub(last) > visitLasts {
		return last
	}
	return before
}

// RememberVisit lets the browser keep when it was here. The cookie says nothing else, and
// nothing is kept here.
func RememberVisit(w http.ResponseWriter, r *http.Request, now time.Time) {
	value := fmt.Sprintf("0-%d", now.Unix())
	if before := LastVisit(r, now); !before.IsZero() {
		value = fmt.Sprintf("%d-%d", before.Unix(), now.Unix())
	}
	http.SetCookie(w, &http.Cookie{
		Name: visitCookie, Value: value, Path: figure.Home, MaxAge: int(visitKept / time.Second), HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: r.TLS != nil,
	})
}
