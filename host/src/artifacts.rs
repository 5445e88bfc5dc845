//! Floor 4: documents on disk or in a bucket.
