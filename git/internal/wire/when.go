package wire

import (
	"strconv"
	"strings"
	"time"
)

// When reads "1136239445 +0100".
func When(s string) (time.Time, bool) {
	secs, zone, _ := strings.Cut(s, " ")
	n, err := strconv.ParseInt(secs, 10, 64)
	if err != nil {
		return time.Time{}, false
	}
	t := time.Unix(n, 0).UTC()
	if n < -62135596800 || t.Year() < 1 || t.Year() > 9998 {
		return time.Time{}, false
	}
	z, err := strconv.Atoi(zone)
	if err != nil || len(zone) != 5 || z < -2400 || z > 2400 || z%100 >= 60 || z%100 <= -60 {
		return t, false
	}
	if z == 0 {
		return t, true
	}
	return t.In(time.FixedZone("", z/100*3600+z%100*60)), true
}
