//! What the operations do, by operation or small group.

pub(crate) mod acl;
pub(crate) mod buckets;
pub(crate) mod complete_upload;
pub(crate) mod copy_object;
pub(crate) mod delete_objects;
pub(crate) mod get_object;
pub(crate) mod list_objects;
pub(crate) mod list_uploads;
pub(crate) mod list_versions;
pub(crate) mod object_lock;
pub(crate) mod put_object;
pub(crate) mod restore_object;
pub(crate) mod tagging;
pub(crate) mod uploads;
pub(crate) mod versioning;

use s3s::dto::{ETag, EncodingType, Owner};
use s3s::{S3Result, s3_error};

use crate::acl::OWNER;

/// The one account, as listings show it.
fn owner() -> Owner {
    Owner { display_name: Some(OWNER.to_owned()), id: Some(OWNER.to_owned()) }
}

fn etag(value: &str) -> ETag {
    ETag::Strong(value.to_owned())
}

/// A size or count as S3's types have it. None of ours comes near the end.
fn signed(size: u64) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}

/// How many elements a listing may have: as asked, at most 1000.
fn limit(asked: Option<i32>) -> S3Result<usize> {
    let asked = usize::try_from(asked.unwrap_or(1000))
        .map_err(|_| s3_error!(InvalidArgument, "Argument maxKeys must be an integer between 0 and 2147483647"))?;
    Ok(asked.min(1000))
}

/// A limit as listings show it.
fn shown(limit: usize) -> i32 {
    i32::try_from(limit).unwrap_or(i32::MAX)
}

/// The encoding that stays with an object: `aws-chunked` is of the request.
pub(crate) fn stored_encoding(given: Option<String>) -> Option<String> {
    let given = given?;
    let kept: Vec<&str> =
        given.split(',').map(str::trim).filter(|encoding| !encoding.is_empty() && *encoding != "aws-chunked").collect();
    (!kept.is_empty()).then(|| kept.join(","))
}

/// How a listing writes keys: as they are, or for URLs as `encoding-type=url`
/// asks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Encoding {
    AsIs,
    Url,
}

impl Encoding {
    fn asked(encoding: Option<&EncodingType>) -> S3Result<Self> {
        match encoding.map(EncodingType::as_str) {
            None | Some("") => Ok(Self::AsIs),
            Some("url") => Ok(Self::Url),
            Some(_) => Err(s3_error!(InvalidArgument, "Invalid Encoding Method specified in Request")),
        }
    }

    /// As S3 writes it: letters, digits and `-._*/` stay, a space becomes `+`.
    fn write(self, text: &str) -> String {
        if self == Self::AsIs {
            return text.to_owned();
        }
        let mut written = String::with_capacity(text.len());
        for byte in text.bytes() {
            match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'*' | b'/' => {
                    written.push(char::from(byte));
                }
                b' ' => written.push('+'),
                _ => written.extend(["%", &hex_simd::encode_to_string([byte], hex_simd::AsciiCase::Upper)]),
            }
        }
        written
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_written_for_urls() {
        assert_eq!(Encoding::Url.write("a b/c+d%~(ä)\u{1}*"), "a+b/c%2Bd%25%7E%28%C3%A4%29%01*");
        assert_eq!(Encoding::AsIs.write("a b+"), "a b+");
        assert!(Encoding::asked(Some(&EncodingType::from("base64".to_owned()))).is_err());
    }

    #[test]
    fn the_encoding_of_the_request_is_not_stored() {
        let stored = |given: &str| stored_encoding(Some(given.to_owned()));
        assert_eq!(stored("gzip").as_deref(), Some("gzip"));
        assert_eq!(stored("gzip, aws-chunked").as_deref(), Some("gzip"));
        assert_eq!(stored("aws-chunked,gzip,br").as_deref(), Some("gzip,br"));
        assert_eq!(stored("aws-chunked"), None);
        assert_eq!(stored_encoding(None), None);
    }

    #[test]
    fn limits_are_capped() {
        assert_eq!(limit(None).unwrap(), 1000);
        assert_eq!(limit(Some(0)).unwrap(), 0);
        assert_eq!(limit(Some(5000)).unwrap(), 1000);
        assert!(limit(Some(-1)).is_err());
    }
}
