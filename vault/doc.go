// Package vault keeps bodies (prompts, transcripts, raw records) sealed under a
// key of their owner, so that one owner can be forgotten ([Vault]), as bytes by
// name in a directory or a bucket ([Blobs]). The keys are in the space's tables
// data_key and body, themselves sealed under the key of the space ([SpaceKey]).
//
// Whoever has the blobs alone, or a backup of them, has nothing that can be
// read. The package knows no room and no fact, and never reads a clock.
package vault
