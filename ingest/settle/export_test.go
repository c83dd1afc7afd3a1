package settle

// MarkEvery sets how many looks are gone through at least until a place to go on
// from is written down.
func MarkEvery(looks int) { markEvery = looks }
