//! Tags of objects: pure.

use std::collections::BTreeMap;

use http::StatusCode;
use s3s::dto::Tag;
use s3s::{S3Result, s3_error};
use serde::{Deserialize, Serialize};

use crate::errors;

/// The most tags of an object, and the most characters of a tag's key and value.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html>
const MOST: usize = 10;
const LONGEST_KEY: usize = 128;
const LONGEST_VALUE: usize = 256;

/// An object's tags.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Tags(BTreeMap<String, String>);

impl Tags {
    /// Those of a header `x-amz-tagging`: `key=value&…`, encoded as in a query.
    pub(crate) fn parse(header: &str) -> S3Result<Self> {
        let pairs = header.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            Ok((decoded(key)?, decoded(value)?))
        });
        Self::checked(pairs)
    }

    /// Those of a request's body.
    pub(crate) fn from_set(set: Vec<Tag>) -> S3Result<Self> {
        Self::checked(set.into_iter().map(|tag| Ok((tag.key.unwrap_or_default(), tag.value.unwrap_or_default()))))
    }

    /// As an answer shows them.
    pub(crate) fn to_set(&self) -> Vec<Tag> {
        self.0.iter().map(|(key, value)| Tag { key: Some(key.clone()), value: Some(value.clone()) }).collect()
    }

    /// As an answer counts them: not at all where there are none.
    pub(crate) fn count(&self) -> Option<i32> {
        i32::try_from(self.0.len()).ok().filter(|count| *count > 0)
    }

    fn checked(pairs: impl Iterator<Item = S3Result<(String, String)>>) -> S3Result<Self> {
        let mut tags = BTreeMap::new();
        for pair in pairs {
            let (key, value) = pair?;
            if key.is_empty() || key.chars().count() > LONGEST_KEY {
                return Err(s3_error!(InvalidTag, "The TagKey you have provided is invalid"));
            }
            if value.chars().count() > LONGEST_VALUE {
                return Err(s3_error!(InvalidTag, "The TagValue you have provided is invalid"));
            }
            if tags.insert(key, value).is_some() {
                return Err(s3_error!(InvalidTag, "Cannot provide multiple Tags with the same key"));
            }
        }
        if tags.len() > MOST {
            return Err(errors::error(StatusCode::BAD_REQUEST, "BadRequest", "Object tags cannot be greater than 10"));
        }
        Ok(Self(tags))
    }
}

/// The text that a query has so.
fn decoded(encoded: &str) -> S3Result<String> {
    let invalid = || {
        s3_error!(
            InvalidArgument,
            "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates."
        )
    };
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut rest = encoded.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits: Vec<u8> = rest.by_ref().take(2).collect();
                let decoded = hex_simd::decode_to_vec(digits).map_err(|_| invalid())?;
                *decoded.first().ok_or_else(invalid)?
            }
            other => other,
        });
    }
    String::from_utf8(bytes).map_err(|_| invalid())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read() {
        let tags = Tags::parse("a=1&b+c=%C3%A4%26&empty=&bare").unwrap();
        let set: Vec<_> = tags.to_set().into_iter().map(|tag| (tag.key.unwrap(), tag.value.unwrap())).collect();
        let expected = [("a", "1"), ("b c", "ä&"), ("bare", ""), ("empty", "")];
        assert_eq!(set, expected.map(|(key, value)| (key.to_owned(), value.to_owned())));
        assert_eq!((tags.count(), Tags::parse("").unwrap().count()), (Some(4), None));
        assert_eq!(Tags::from_set(tags.to_set()).unwrap(), tags);
    }

    #[test]
    fn what_s3_refuses_is_refused() {
        let eleven: Vec<String> = (0..11).map(|number| format!("{number}=x")).collect();
        let long = "k".repeat(129);
        for header in
            ["a=1&a=2", "=1", "a=%4", "a=%FF", "a=%ZZ", &long, &format!("a={}", "v".repeat(257)), &eleven.join("&")]
        {
            assert!(Tags::parse(header).is_err(), "{header}");
        }
    }
}
