//! Floor 4: the provider's REST API.
