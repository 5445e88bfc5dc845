//! Floor 5: forgetting what is due to be forgotten.
