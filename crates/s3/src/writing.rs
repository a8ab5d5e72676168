//! What a client adds to whatever it writes.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest as _, Md5};

/// What a client adds to whatever it writes, because the caller said so for all of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Writing {
    /// The storage class, as S3 names it (`STANDARD_IA`): instead of the object's own.
    pub storage_class: Option<String>,
    /// A canned access control list (`bucket-owner-full-control`).
    pub acl: Option<String>,
    /// How the service encrypts it.
    pub encryption: Option<Encryption>,
    /// Tags, as in the query of a URL (`a=1&b=2`): instead of the object's own.
    pub tagging: Option<String>,
}

/// How a service encrypts what it keeps, with keys of its own
/// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/serv-side-encryption.html>).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Encryption {
    /// SSE-S3.
    Aes256,
    /// SSE-KMS; with the id of the key, or the account's own.
    Kms(Option<String>),
    /// DSSE-KMS: twice.
    KmsTwice(Option<String>),
}

impl Encryption {
    /// As the header says it.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Aes256 => "AES256",
            Self::Kms(_) => "aws:kms",
            Self::KmsTwice(_) => "aws:kms:dsse",
        }
    }

    pub(crate) fn key_id(&self) -> Option<&str> {
        match self {
            Self::Aes256 => None,
            Self::Kms(id) | Self::KmsTwice(id) => id.as_deref(),
        }
    }
}

/// A key of the customer's own, with which the service encrypts and decrypts, and which it doesn't keep: SSE-C
/// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/ServerSideEncryptionCustomerKeys.html>). Never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct CustomerKey([u8; 32]);

impl CustomerKey {
    /// A key of 256 bits.
    #[must_use]
    pub fn new(key: [u8; 32]) -> Self {
        Self(key)
    }

    /// The headers that carry it: of what a request is about.
    pub(crate) fn headers(&self) -> [(&'static str, String); 3] {
        let [algorithm, key, md5] = self.values();
        [
            ("x-amz-server-side-encryption-customer-algorithm", algorithm),
            ("x-amz-server-side-encryption-customer-key", key),
            ("x-amz-server-side-encryption-customer-key-md5", md5),
        ]
    }

    /// The headers that carry it: of what is copied.
    pub(crate) fn headers_of_source(&self) -> [(&'static str, String); 3] {
        let [algorithm, key, md5] = self.values();
        [
            ("x-amz-copy-source-server-side-encryption-customer-algorithm", algorithm),
            ("x-amz-copy-source-server-side-encryption-customer-key", key),
            ("x-amz-copy-source-server-side-encryption-customer-key-md5", md5),
        ]
    }

    fn values(&self) -> [String; 3] {
        ["AES256".to_owned(), STANDARD.encode(self.0), STANDARD.encode(Md5::digest(self.0))]
    }
}

impl fmt::Debug for CustomerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CustomerKey")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_customers_key_is_sent_and_never_shown() {
        let key = CustomerKey::new([b'k'; 32]);
        let headers = key.headers();
        assert_eq!(headers[0].0, "x-amz-server-side-encryption-customer-algorithm");
        assert_eq!(headers[1].1, "a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s=");
        assert_eq!(headers[2].1.len(), 24);
        assert!(!format!("{key:?}").contains("kk") && !format!("{key:?}").contains("a2tr"));
    }
}
