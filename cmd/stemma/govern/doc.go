// Package govern holds the verbs that hold changes against controls.
package govern
