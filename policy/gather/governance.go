package gather

import "github.com/stemma-dev/stemma/policy/subject"

// exceptions are those that were granted for a change.
func exceptions(*subject.Subject) []subject.Exception { return nil }

// advisories are those about models that a change was made with.
func advisories(*subject.Subject) []subject.Advisory { return nil }
