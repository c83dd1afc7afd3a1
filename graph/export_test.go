package graph

// SetBatch sets how many entries Apply takes into one transaction.
func (g *Graph) SetBatch(n int64) { g.batch = n }
