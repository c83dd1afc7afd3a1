// Package space holds the verbs that work on the store: they read into it, serve
// it, check it and make anew what is derived in it. A file holds one verb: its
// flags, its help and its run function.
package space
