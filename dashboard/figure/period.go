package figure

import "time"

// Day reads a day, written as in addresses; nothing is the zero time.
func Day(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.DateOnly, s)
	if err != nil || t.Year() < 1970 || t.Year() > 9000 {
		return time.Time{}, Wrong("A day is written like 2026-11-27.")
	}
	return t, nil
}

// A Period is some days, the first and the last one in it.
type Period struct {
	From, To string
	Start    time.Time
	End      time.Time // where the day after the last one begins
}

// usualPeriod is how many days a period has if nothing else is asked for.
const usualPeriod = 90

// Between reads the first and the last day of a period, the last 90 days if nothing is
// said.
func Between(from, to string, now time.Time) (out Period, err error) {
	if out.Start, err = Day(from); err != nil {
		return out, err
	}
	last, err := Day(to)
	if err != nil {
		return out, err
	}
	if last.IsZero() {
		last = now.UTC().Truncate(24 * time.Hour)
	}
	if out.Start.IsZero() {
		out.Start = last.AddDate(0, 0, 1-usualPeriod)
	}
	if out.Start.After(last) {
		return out, Wrong("The period ends before it begins.")
	}
	out.End = last.AddDate(0, 0, 1)
	out.From, out.To = out.Start.Format(time.DateOnly), last.Format(time.DateOnly)
	return out, nil
}
