//! Sizes in bytes for people.

/// Bytes in a kibibyte.
pub const KIB: u64 = 1024;
/// Bytes in a mebibyte.
pub const MIB: u64 = 1024 * KIB;

/// Writes a size the way a sentence wants it, for example `10 MiB` or `1.5 KiB`.
#[must_use]
pub fn human(bytes: u64) -> String {
    let (unit, name) = match bytes {
        MIB.. => (MIB, "MiB"),
        KIB.. => (KIB, "KiB"),
        _ => return format!("{bytes} bytes"),
    };
    let tenths = bytes.saturating_mul(10) / unit;
    match tenths % 10 {
        0 => format!("{} {name}", tenths / 10),
        rest => format!("{}.{rest} {name}", tenths / 10),
    }
}

#[cfg(test)]
mod tests {
    use super::human;

    #[test]
    fn reads_well() {
        assert_eq!(human(10 * 1024 * 1024), "10 MiB");
        assert_eq!(human(1536), "1.5 KiB");
        assert_eq!(human(7), "7 bytes");
    }
}
