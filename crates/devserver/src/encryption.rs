//! How an object is encrypted, as requests ask and answers say. Nothing is encrypted here:
//! what counts is who may read, and which `ETag`s are digests.

use std::time::SystemTime;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::StatusCode;
use s3s::crypto::{Checksum as _, Md5};
use s3s::dto::ServerSideEncryption;
use s3s::{S3Error, S3Result, s3_error};
use serde::{Deserialize, Serialize};

use crate::checksums::{base64, hex};
use crate::errors;

/// How an object is encrypted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Encryption {
    /// Nothing was said of it.
    #[default]
    Unsaid,
    /// With keys of S3's.
    S3,
    /// With a key of the key management service.
    Kms {
        /// `aws:kms` or `aws:kms:dsse`.
        algorithm: String,
        key_id: String,
    },
    /// With the customer's key, of which only the MD5 is kept, in base64.
    Customer { key_md5: String },
}

/// The key that S3 takes where a request names none.
const DEFAULT_KEY: &str = "arn:aws:kms:us-east-1:123456789012:key/aws-s3";

/// The one algorithm for keys of customers.
pub(crate) const CUSTOMER_ALGORITHM: &str = "AES256";

impl Encryption {
    /// What a request that writes asks for.
    pub(crate) fn asked(
        algorithm: Option<&ServerSideEncryption>,
        key_id: Option<String>,
        customer_key: Option<String>,
    ) -> S3Result<Self> {
        match (algorithm.map(ServerSideEncryption::as_str), customer_key) {
            (None, Some(key_md5)) => Ok(Self::Customer { key_md5 }),
            (Some(_), Some(_)) => Err(s3_error!(
                InvalidArgument,
                "Server Side Encryption with Customer provided key is incompatible with the encryption method specified"
            )),
            (None, None) => Ok(Self::Unsaid),
            (Some(ServerSideEncryption::AES256), None) => Ok(Self::S3),
            (Some(algorithm @ (ServerSideEncryption::AWS_KMS | ServerSideEncryption::AWS_KMS_DSSE)), None) => {
                let key_id = key_id.unwrap_or_else(|| DEFAULT_KEY.to_owned());
                Ok(Self::Kms { algorithm: algorithm.to_owned(), key_id })
            }
            (Some(_), None) => Err(s3_error!(InvalidArgument, "The encryption method specified is not supported")),
        }
    }

    /// The ETag of a body with this MD5, in hexadecimal. It is that of what is encrypted only
    /// without a key of somebody's.
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html>
    pub(crate) fn etag(&self, md5: String) -> String {
        if matches!(self, Self::Unsaid | Self::S3) {
            return md5;
        }
        let time = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        hex(Md5::checksum(format!("{md5} {}", time.as_nanos()).as_bytes()))
    }

    /// Whether who brings this key of a customer (its MD5) may read.
    /// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/ServerSideEncryptionCustomerKeys.html>
    pub(crate) fn check_key(&self, given: Option<&str>) -> S3Result<()> {
        match (self, given) {
            (Self::Customer { key_md5 }, Some(given)) if key_md5 == given => Ok(()),
            (Self::Customer { .. }, Some(_)) => {
                Err(errors::error(StatusCode::FORBIDDEN, "AccessDenied", "Access Denied"))
            }
            (Self::Customer { .. }, None) => Err(s3_error!(
                InvalidRequest,
                "The object was stored using a form of Server Side Encryption. The correct parameters must be provided \
                 to retrieve the object."
            )),
            (_, Some(_)) => {
                Err(s3_error!(InvalidRequest, "The encryption parameters are not applicable to this object."))
            }
            (_, None) => Ok(()),
        }
    }

    /// Whether a part that comes with this key belongs to an upload that was begun so.
    pub(crate) fn check_part_key(&self, given: Option<&str>) -> S3Result<()> {
        let key = if let Self::Customer { key_md5 } = self { Some(key_md5.as_str()) } else { None };
        match (key, given) {
            (key, given) if key == given => Ok(()),
            (Some(_), None) => Err(s3_error!(
                InvalidRequest,
                "The multipart upload initiate requested encryption. Subsequent part requests must include the \
                 appropriate encryption parameters."
            )),
            _ => Err(s3_error!(
                InvalidRequest,
                "The provided encryption parameters did not match the ones used originally."
            )),
        }
    }
}

/// The MD5 of a customer's key, in base64, from the three headers that bring it.
pub(crate) fn customer_key(
    algorithm: Option<String>,
    key: Option<String>,
    md5: Option<String>,
) -> S3Result<Option<String>> {
    let invalid = |message: &'static str| -> S3Error { s3_error!(InvalidArgument, "{message}") };
    let (Some(algorithm), Some(key)) = (&algorithm, key) else {
        return match (algorithm, md5) {
            (None, None) => Ok(None),
            _ => Err(invalid(
                "Requests with Server Side Encryption with Customer provided keys need an algorithm and a key.",
            )),
        };
    };
    if algorithm != CUSTOMER_ALGORITHM {
        return Err(invalid("The encryption algorithm specified is not valid"));
    }
    let key = BASE64_STANDARD.decode(key).ok().filter(|key| key.len() == 32);
    let key = key.ok_or_else(|| invalid("The secret key was invalid for the specified algorithm."))?;
    let computed = base64(Md5::checksum(&key));
    if md5.is_some_and(|given| given != computed) {
        return Err(invalid("The calculated MD5 hash of the key did not match the hash that was provided."));
    }
    Ok(Some(computed))
}

/// Takes the customer's key out of an input.
macro_rules! given_key {
    ($input:expr) => {
        crate::encryption::customer_key(
            $input.sse_customer_algorithm.take(),
            $input.sse_customer_key.take(),
            $input.sse_customer_key_md5.take(),
        )
    };
}

/// Takes the customer's key of a copy's source out of an input.
macro_rules! given_source_key {
    ($input:expr) => {
        crate::encryption::customer_key(
            $input.copy_source_sse_customer_algorithm.take(),
            $input.copy_source_sse_customer_key.take(),
            $input.copy_source_sse_customer_key_md5.take(),
        )
    };
}

/// Says in an output how the object is encrypted.
macro_rules! answer_encryption {
    ($output:expr, $encryption:expr) => {
        match $encryption {
            crate::encryption::Encryption::Customer { key_md5 } => {
                $output.sse_customer_algorithm = Some(crate::encryption::CUSTOMER_ALGORITHM.to_owned());
                $output.sse_customer_key_md5 = Some(key_md5.clone());
            }
            other => crate::encryption::answer_service_encryption!($output, other),
        }
    };
}

/// The same for an output that says nothing of customers' keys.
macro_rules! answer_service_encryption {
    ($output:expr, $encryption:expr) => {
        match $encryption {
            crate::encryption::Encryption::Kms { algorithm, key_id } => {
                $output.server_side_encryption = Some(s3s::dto::ServerSideEncryption::from(algorithm.clone()));
                $output.ssekms_key_id = Some(key_id.clone());
            }
            crate::encryption::Encryption::S3 => {
                let algorithm = s3s::dto::ServerSideEncryption::AES256;
                $output.server_side_encryption = Some(s3s::dto::ServerSideEncryption::from_static(algorithm));
            }
            _ => {}
        }
    };
}

pub(crate) use {answer_encryption, answer_service_encryption, given_key, given_source_key};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_customers_are_checked() {
        let text = |text: &str| Some(text.to_owned());
        let (key, md5) = (base64([7; 32]), base64(Md5::checksum(&[7; 32])));
        assert_eq!(customer_key(text("AES256"), text(&key), text(&md5)).unwrap(), text(&md5));
        assert_eq!(customer_key(None, None, None).unwrap(), None);
        assert!(customer_key(text("AES128"), text(&key), text(&md5)).is_err());
        assert!(customer_key(text("AES256"), text(&base64([7; 16])), None).is_err());
        assert!(customer_key(text("AES256"), text(&key), text(&key)).is_err());
        assert!(customer_key(None, text(&key), text(&md5)).is_err());
        assert!(customer_key(text("AES256"), None, text(&md5)).is_err());
    }

    #[test]
    fn only_keys_of_somebodys_change_the_etag() {
        let md5 = "5d41402abc4b2a76b9719d911017c592".to_owned();
        let kms = Encryption::Kms { algorithm: "aws:kms".to_owned(), key_id: String::new() };
        assert_eq!(Encryption::Unsaid.etag(md5.clone()), md5);
        assert_eq!(Encryption::S3.etag(md5.clone()), md5);
        for other in [kms, Encryption::Customer { key_md5: String::new() }] {
            let etag = other.etag(md5.clone());
            assert!(etag != md5 && etag.len() == 32);
        }
    }
}
