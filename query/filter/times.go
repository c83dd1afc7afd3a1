package filter

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"time"
)

// A hintError is a fault of a value with what may be meant instead.
type hintError struct{ msg, hint string }

func (e hintError) Error() string { return e.msg }

func hintOf(err error) string {
	var h hintError
	if errors.As(err, &h) {
		return h.hint
	}
	return ""
}

func parseInt(s string) (lo, hi int64, err error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < -1<<53 || n > 1<<53 {
		return 0, 0, hintError{Visible(s) + " is not a whole number", "write 5, >=5 or 5..10"}
	}
	return n, n + 1, nil
}

// parsePercent reads 50%, 50 or 12.5% as per mille.
func parsePercent(s string) (lo, hi int64, err error) {
	whole, tenth, dotted := strings.Cut(strings.TrimSuffix(s, "%"), ".")
	n, err := strconv.ParseUint(whole, 10, 16)
	if dotted && err == nil {
		var d uint64
		if d, err = strconv.ParseUint(tenth, 10, 16); len(tenth) != 1 {
			err = errors.New("one digit")
		}
		n = 10*n + d
	} else {
		n *= 10
	}
	if err != nil || n > 1000 {
		return 0, 0, hintError{Visible(s) + " is not a percentage from 0 to 100, with at most one decimal", "write >=50%"}
	}
	return int64(n), int64(n) + 1, nil
}

// units are those of spans. A minute is min, since -6m is six months ago.
var units = []struct {
	name   string
	length time.Duration
}{{"s", time.Second}, {"min", time.Minute}, {"h", time.Hour}, {"d", 24 * time.Hour}, {"w", 7 * 24 * time.Hour}}

// parseSpan reads 90s, 30min, 1h, 2d or 1w as microseconds.
func parseSpan(s string) (lo, hi int64, err error) {
	digits := strings.TrimLeft(s, "0123456789")
	n, err := strconv.ParseUint(strings.TrimSuffix(s, digits), 10, 32)
	for _, u := range units {
		if err == nil && u.name == digits {
			lo = int64(n) * u.length.Microseconds()
			return lo, lo + 1, nil
		}
	}
	return 0, 0, hintError{Visible(s) + " is not a span of time", "write 90s, 30min, 1h, 2d or 1w"}
}

const timeHint = "write 2026, 2026-Q3, 2026-09, 2026-W37, 2026-09-30, 2026-09-30T12:00Z, -30d, +24h, today or now"

func isRelative(s string) bool {
	return s == "now" || strings.HasPrefix(s, "-") || strings.HasPrefix(s, "+")
}

// parseTime reads an instant or a stretch of time as microseconds lo <= t < hi.
// Times without a zone are UTC.
func parseTime(s string, now time.Time) (lo, hi int64, err error) {
	at := func(from, to time.Time) (int64, int64, error) {
		// Far from the ends, so that adding and comparing never overflows.
		if from.Year() < 1 || to.Year() > 10000 {
			return 0, 0, hintError{Visible(s) + " is out of range", timeHint}
		}
		return from.UnixMicro(), to.UnixMicro(), nil
	}
	day := now.Truncate(24 * time.Hour)
	switch s {
	case "now":
		return at(now, now.Add(time.Microsecond))
	case "today":
		return at(day, day.AddDate(0, 0, 1))
	case "yesterday":
		return at(day.AddDate(0, 0, -1), day)
	}
	if strings.HasPrefix(s, "-") || strings.HasPrefix(s, "+") {
		t, err := distant(now, s)
		if err != nil {
			return 0, 0, err
		}
		return at(t, t.Add(time.Microsecond))
	}
	if t, ok := week(s); ok {
		return at(t, t.AddDate(0, 0, 7))
	}
	if len(s) == 7 && s[4:6] == "-Q" && s[6] >= '1' && s[6] <= '4' {
		if t, err := time.Parse("2006", s[:4]); err == nil {
			t = t.AddDate(0, 3*int(s[6]-'1'), 0)
			return at(t, t.AddDate(0, 3, 0))
		}
	}
	for _, form := range []struct {
		layout              string
		years, months, days int
		length              time.Duration
	}{
		{layout: "2006", years: 1},
		{layout: "2006-01", months: 1},
		{layout: "2006-01-02", days: 1},
		{layout: "2006-01-02T15:04", length: time.Minute},
		{layout: "2006-01-02T15:04Z07:00", length: time.Minute},
		{layout: "2006-01-02T15:04:05", length: time.Second},
		{layout: "2006-01-02T15:04:05Z07:00", length: time.Second},
	} {
		t, err := time.Parse(form.layout, strings.Replace(s, " ", "T", 1))
		if err == nil {
			if t.Nanosecond() != 0 {
				form.length = time.Microsecond
			}
			return at(t, t.AddDate(form.years, form.months, form.days).Add(form.length))
		}
	}
	return 0, 0, hintError{Visible(s) + " is not a time", timeHint}
}

// week reads an ISO week, 2026-W07: its Monday.
func week(s string) (time.Time, bool) {
	if len(s) != 8 || s[4:6] != "-W" {
		return time.Time{}, false
	}
	year, err1 := strconv.ParseUint(s[:4], 10, 16)
	n, err2 := strconv.ParseUint(s[6:], 10, 8)
	if err1 != nil || err2 != nil || year == 0 {
		return time.Time{}, false
	}
	t := time.Date(int(year), 1, 4, 0, 0, 0, 0, time.UTC) // always in week 1
	t = t.AddDate(0, 0, 7*(int(n)-1)-(int(t.Weekday())+6)%7)
	y, w := t.ISOWeek()
	return t, y == int(year) && w == int(n)
}

// distant reads -30d, +24h and the like.
func distant(now time.Time, s string) (time.Time, error) {
	u, err := strconv.ParseUint(s[1:max(1, len(s)-1)], 10, 16)
	if err == nil && u <= math.MaxInt16 {
		n := int(u)
		if s[0] == '-' {
			n = -n
		}
		switch s[len(s)-1] {
		case 'h':
			return now.Add(time.Duration(n) * time.Hour), nil
		case 'd':
			return now.AddDate(0, 0, n), nil
		case 'w':
			return now.AddDate(0, 0, 7*n), nil
		case 'm':
			return now.AddDate(0, n, 0), nil
		case 'y':
			return now.AddDate(n, 0, 0), nil
		}
	}
	return time.Time{}, hintError{Visible(s) + " is not a time from now", "write -12h, -30d, -2w, -6m, -1y or +24h"}
}
