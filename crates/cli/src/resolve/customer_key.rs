//! A customer's key (SSE-C), from a file: on the command line everybody could read it.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use brigade_store::s3::CustomerKey;

/// Bytes in a customer's key
/// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/ServerSideEncryptionCustomerKeys.html>).
const KEY_LENGTH: usize = 32;

/// Why a file holds no customer's key. What it holds is never shown.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeyFileError {
    /// It can't be read.
    #[error("could not read the key in {path}: {reason}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        reason: std::io::Error,
    },
    /// It is no key.
    #[error("{path} holds no key for SSE-C: that is 32 bytes, or the same in base64 (make one with: openssl rand 32)")]
    NoKey {
        /// The file.
        path: PathBuf,
    },
}

/// Reads a key.
pub(crate) fn read(path: &Path) -> Result<CustomerKey, KeyFileError> {
    let written = std::fs::read(path).map_err(|reason| KeyFileError::Unreadable { path: path.to_owned(), reason })?;
    let decoded = STANDARD.decode(written.trim_ascii()).unwrap_or_default();
    let bytes = [written, decoded].into_iter().find_map(|bytes| <[u8; KEY_LENGTH]>::try_from(bytes).ok());
    bytes.map(CustomerKey::new).ok_or_else(|| KeyFileError::NoKey { path: path.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_32_bytes_or_their_base64() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("key");
        let table: [(&[u8], bool); 5] = [
            (&[b'k'; 32], true),
            (b"a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s=\n", true),
            (&[b'k'; 31], false),
            (b"a2tr", false),
            (b"", false),
        ];
        for (content, is_key) in table {
            std::fs::write(&path, content).unwrap();
            let found = read(&path);
            assert_eq!(found.is_ok(), is_key, "{content:?}");
            if let (true, Ok(found)) = (is_key, found) {
                assert_eq!(found, CustomerKey::new([b'k'; 32]));
            }
        }
        assert!(matches!(read(&directory.path().join("none")), Err(KeyFileError::Unreadable { .. })));
    }
}
