//! Sizes in bytes as people write them: `64M`, `64MiB`, `1GB`, `65536`.

use std::str::FromStr;

/// A number of bytes, at least 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Size(pub(crate) u64);

/// What isn't a size.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SizeError {
    /// No number, or a unit that there isn't.
    #[error("not a size; write bytes, or a number with K, M, G or T (1024s), or with KB, MB, GB or TB (1000s)")]
    NotASize,
    /// Zero.
    #[error("must be more than zero")]
    Zero,
    /// It doesn't fit 64 bits.
    #[error("too large")]
    TooLarge,
}

impl FromStr for Size {
    type Err = SizeError;

    fn from_str(text: &str) -> Result<Self, SizeError> {
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = text.split_at(digits);
        if number.is_empty() {
            return Err(SizeError::NotASize);
        }
        let factor = bytes_in(unit.trim_start()).ok_or(SizeError::NotASize)?;
        let number: u64 = number.parse().map_err(|_| SizeError::TooLarge)?;
        match number.checked_mul(factor) {
            None => Err(SizeError::TooLarge),
            Some(0) => Err(SizeError::Zero),
            Some(bytes) => Ok(Self(bytes)),
        }
    }
}

/// How many bytes a unit has, whichever its case. A single letter counts in
/// 1024s, as rclone and systemd do.
fn bytes_in(unit: &str) -> Option<u64> {
    Some(match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kib" => 1 << 10,
        "m" | "mib" => 1 << 20,
        "g" | "gib" => 1 << 30,
        "t" | "tib" => 1 << 40,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        "tb" => 1_000_000_000_000,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_written() {
        let table = [
            ("1", Ok(1)),
            ("65536", Ok(65_536)),
            ("10B", Ok(10)),
            ("64K", Ok(65_536)),
            ("64M", Ok(67_108_864)),
            ("64m", Ok(67_108_864)),
            ("64MiB", Ok(67_108_864)),
            ("64 MiB", Ok(67_108_864)),
            ("64MB", Ok(64_000_000)),
            ("1G", Ok(1_073_741_824)),
            ("1gib", Ok(1_073_741_824)),
            ("1GB", Ok(1_000_000_000)),
            ("2T", Ok(2_199_023_255_552)),
            ("2TB", Ok(2_000_000_000_000)),
            ("18446744073709551615", Ok(u64::MAX)),
            ("0", Err(SizeError::Zero)),
            ("0G", Err(SizeError::Zero)),
            ("18446744073709551616", Err(SizeError::TooLarge)),
            ("16777216T", Err(SizeError::TooLarge)),
            ("", Err(SizeError::NotASize)),
            ("M", Err(SizeError::NotASize)),
            ("-1", Err(SizeError::NotASize)),
            ("1.5G", Err(SizeError::NotASize)),
            ("64X", Err(SizeError::NotASize)),
            ("64MiBs", Err(SizeError::NotASize)),
            (" 64", Err(SizeError::NotASize)),
        ];
        for (text, bytes) in table {
            assert_eq!(text.parse().map(|Size(bytes)| bytes), bytes, "{text:?}");
        }
    }
}
