//! Floor 7: the composition root, the only file that knows every part.
