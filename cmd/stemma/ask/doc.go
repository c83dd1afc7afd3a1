// Package ask holds the verbs that answer a question: about lines from the
// repository itself, about everything else from the store, or from both. A file
// holds one verb: its flags, its help and its run function.
package ask
