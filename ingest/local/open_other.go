//go:build !unix

package local

const flags = 0
