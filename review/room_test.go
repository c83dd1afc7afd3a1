package review_test

import (
	"testing"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/review"
	"github.com/stemma-dev/stemma/roomtest"
)

const (
	commit = stemma.Ref("commit:sha1/00112233445566778899aabbccddeeff00112233")
	person = stemma.Ref("person:0f1e2d3c4b5a69788796a5b4c3d2e1f0")
	moment = stemma.Moment(1767323045_678901)
)

var shapes = []roomtest.Shape{
	roomtest.Of(review.FromFact,
		review.Review{
			ID: review.Ref("github.com", "acme/pay#142/7"), Change: "change:github.com/acme/pay#142", Reviewer: person, Role: "owner", Verdict: "approved",
			Head: commit, Tree: "aa", Submitted: moment, Dismissed: true, Comments: 2, Method: "trailer", URL: "https://github.com/acme/pay/pull/142#r7",
			Bodies: []stemma.Body{{Name: "raw", Media: "application/json", Digest: stemma.Sum([]byte("x")), Size: 1}},
		},
	),
	roomtest.Of(review.StandingFromFact,
		review.Standing{
			Review: review.Ref("github.com", "acme/pay#142/7"), Holder: person, Role: "owner", Method: review.StandingOwners, Via: "@acme/pay",
			File: ".github/CODEOWNERS", Commit: commit, Owned: 2, Files: 3, As: moment, Withdrawn: true,
		},
	),
}

func TestRecordsAreWhatTheRoomDeclares(t *testing.T) {
	roomtest.Check(t, review.Room, shapes...)
}

func FuzzRoundTrip(f *testing.F) {
	roomtest.FuzzRoundTrip(f, review.Room, shapes...)
}
