//! Percent-encoding of paths and queries, and its decoding.
//!
//! The encoding is that of `SigV4`: every byte but the unreserved `A-Z a-z 0-9 - . _ ~`
//! becomes `%XX` in capitals, and `/` stays in a path
//! (<https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html>,
//! `UriEncode`). The very same text is signed and sent, so nothing can
//! normalise a key on its way.

use std::borrow::Cow;

/// Which bytes stay as they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keep {
    /// The unreserved ones alone: names and values of a query.
    Unreserved,
    /// The unreserved ones and `/`: keys in a path.
    UnreservedAndSlash,
}

const HEX: &[u8; 16] = b"0123456789ABCDEF";
const LOWER_HEX: &[u8; 16] = b"0123456789abcdef";

/// Appends the encoded bytes.
pub(crate) fn encode_into(encoded: &mut String, bytes: &[u8], keep: Keep) {
    let is_kept = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => true,
        b'/' => keep == Keep::UnreservedAndSlash,
        _ => false,
    };
    encoded.reserve(bytes.len());
    // Most keys hold nothing else.
    if let Ok(text) = std::str::from_utf8(bytes)
        && bytes.iter().all(|&byte| is_kept(byte))
    {
        return encoded.push_str(text);
    }
    for &byte in bytes {
        let kept = is_kept(byte);
        if kept {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            encoded.push(char::from(HEX[usize::from(byte >> 4)]));
            encoded.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
}

/// The encoded form of a query's name or value.
pub(crate) fn encode(text: &str, keep: Keep) -> String {
    let mut encoded = String::new();
    encode_into(&mut encoded, text.as_bytes(), keep);
    encoded
}

/// Decodes what a listing with `encoding-type=url` says of a key. S3 writes a
/// space as `+` there, and a plus as `%2B`. `None` where an escape is broken
/// or the result isn't UTF-8, which no S3 key can be.
#[must_use]
pub fn decode_listed(text: &str) -> Option<Cow<'_, str>> {
    if !text.bytes().any(|byte| matches!(byte, b'%' | b'+')) {
        return Some(Cow::Borrowed(text));
    }
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => hex_digit(bytes.next()?)? << 4 | hex_digit(bytes.next()?)?,
            other => other,
        });
    }
    String::from_utf8(decoded).ok().map(Cow::Owned)
}

fn hex_digit(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

/// Bytes as lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut digits = Vec::with_capacity(bytes.len() * 2);
    for byte in bytes {
        digits.extend_from_slice(&[LOWER_HEX[usize::from(byte >> 4)], LOWER_HEX[usize::from(byte & 15)]]);
    }
    // Digits are text.
    String::from_utf8(digits).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn keys_are_encoded_as_sigv4_says() {
        let table = [
            ("plain/key-1._~", "plain/key-1._~"),
            ("a//b", "a//b"),
            ("/a", "/a"),
            ("../x", "../x"),
            ("a b+c%d", "a%20b%2Bc%25d"),
            ("é", "%C3%A9"),
            ("?&=#:@!$'()*,;[]", "%3F%26%3D%23%3A%40%21%24%27%28%29%2A%2C%3B%5B%5D"),
            ("\u{1}\r\n\u{7f}", "%01%0D%0A%7F"),
        ];
        for (key, encoded) in table {
            assert_eq!(encode(key, Keep::UnreservedAndSlash), encoded, "{key:?}");
        }
        assert_eq!(encode("a/b", Keep::Unreserved), "a%2Fb");
    }

    #[test]
    fn listed_keys_are_decoded_exactly() {
        let table = [
            ("a+b%2Bc%20d", Some("a b+c d")),
            ("%C3%A9/%0d", Some("é/\r")),
            ("plain", Some("plain")),
            ("%", None),
            ("%2", None),
            ("%zz", None),
            ("%FF", None),
        ];
        for (text, decoded) in table {
            assert_eq!(decode_listed(text).as_deref(), decoded, "{text}");
        }
    }

    #[test]
    fn hexadecimal_is_lower_case() {
        assert_eq!(hex(&[0x00, 0x9a, 0xff]), "009aff");
    }

    proptest! {
        #[test]
        fn what_was_encoded_decodes_to_itself(text in any::<String>()) {
            for keep in [Keep::Unreserved, Keep::UnreservedAndSlash] {
                let encoded = encode(&text, keep);
                let decoded = decode_listed(&encoded).map(Cow::into_owned);
                prop_assert_eq!(decoded.as_ref(), Some(&text));
            }
        }

        #[test]
        fn only_unreserved_bytes_escapes_and_slashes_are_sent(text in any::<String>()) {
            let encoded = encode(&text, Keep::UnreservedAndSlash);
            prop_assert!(encoded.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~/%".contains(&byte)));
        }
    }
}
