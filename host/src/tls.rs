//! Floor 4: certificates.
