//! Floor 4: the database: redb behind typed operations on domain values, one writer.
