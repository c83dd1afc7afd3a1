// Webhooks as their senders published them, for the tests of ingest/event. Nothing is
// built of this: the tests read the files of these modules where the go command put
// them, as go.sum says that they are.
module github.com/stemma-dev/stemma/tools/samples

go 1.26.0

require (
	github.com/PagerDuty/go-pagerduty v1.8.0
	github.com/go-playground/webhooks/v6 v6.4.0
	gitlab.com/gitlab-org/api/client-go v1.46.0
)
