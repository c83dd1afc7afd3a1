// Package record is the verb that stands in pipelines: it says what a step did, to a
// server or into the local store. Each kind of report is a file; what they share is
// here: where the program stands (here.go), and how a report gets to where it is kept
// (deliver.go, send.go).
package record
