//! Floor 4: how often somebody may ask.
