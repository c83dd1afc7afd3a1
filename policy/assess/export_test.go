package assess

// Concerned is what the tests ask.
var Concerned = concerned
