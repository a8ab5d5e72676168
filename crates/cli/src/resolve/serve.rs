//! The credentials that `brigade serve` checks: the environment's, or new ones.

use std::env;
use std::fmt::{self, Write};
use std::fs::File;
use std::io::{self, Read};

/// An access key and its secret.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Credentials {
    /// The access key's id.
    pub(crate) access_key_id: String,
    /// The secret that signs.
    pub(crate) secret_access_key: String,
    /// Whether they were made for this start, and may be shown.
    pub(crate) are_new: bool,
}

/// Why there are no credentials.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CredentialsError {
    /// Only one of the two variables is there.
    #[error("set both BRIGADE_SERVE_ACCESS_KEY_ID and BRIGADE_SERVE_SECRET_ACCESS_KEY, or neither")]
    Half,
    /// There is no randomness to be had.
    #[error("could not make new credentials: {0}; set BRIGADE_SERVE_ACCESS_KEY_ID and BRIGADE_SERVE_SECRET_ACCESS_KEY")]
    NoRandomness(#[from] io::Error),
}

impl Credentials {
    /// Those of the environment, or new ones. Empty variables count as missing, as in AWS's tools.
    pub(crate) fn resolve() -> Result<Self, CredentialsError> {
        Self::from_variables(|name| env::var(name).ok())
    }

    fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Result<Self, CredentialsError> {
        let present = |name| variable(name).filter(|value| !value.is_empty());
        match (present("BRIGADE_SERVE_ACCESS_KEY_ID"), present("BRIGADE_SERVE_SECRET_ACCESS_KEY")) {
            (None, None) => Ok(Self::new()?),
            (Some(access_key_id), Some(secret_access_key)) => {
                Ok(Self { access_key_id, secret_access_key, are_new: false })
            }
            _ => Err(CredentialsError::Half),
        }
    }

    /// New ones, from the system's source of randomness. They are as long as
    /// AWS's, 20 and 40 characters, because some clients check that.
    pub(crate) fn new() -> io::Result<Self> {
        let mut random = [0; 28];
        File::open("/dev/urandom")?.read_exact(&mut random)?;
        let digits = random.iter().fold(String::new(), |mut digits, byte| {
            // Writing into a string can't fail.
            let _ = write!(digits, "{byte:02X}");
            digits
        });
        let (access, secret) = digits.split_at(16);
        Ok(Self {
            access_key_id: format!("BRIG{access}"),
            secret_access_key: secret.to_ascii_lowercase(),
            are_new: true,
        })
    }

    /// The same, as the server takes them.
    pub(crate) fn for_server(&self) -> brigade_devserver::Credentials {
        brigade_devserver::Credentials::new(&self.access_key_id, &self.secret_access_key)
    }
}

/// Without the secret.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("access_key_id", &self.access_key_id).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(id: &str, secret: &str) -> Result<Credentials, CredentialsError> {
        Credentials::from_variables(|name| Some(if name.contains("SECRET") { secret } else { id }.to_owned()))
    }

    #[test]
    fn the_environment_decides_or_new_ones_are_made() {
        let given = resolve("a", "b").unwrap();
        assert_eq!((given.access_key_id.as_str(), given.secret_access_key.as_str()), ("a", "b"));
        assert!(!given.are_new);
        for half in [resolve("a", ""), resolve("", "b")] {
            assert!(matches!(half, Err(CredentialsError::Half)));
        }
        let [one, other] = [(); 2].map(|()| resolve("", "").unwrap());
        assert_eq!((one.access_key_id.len(), one.secret_access_key.len()), (20, 40));
        assert!(one.are_new && one.secret_access_key != other.secret_access_key);
    }

    #[test]
    fn the_secret_is_not_shown() {
        let credentials = Credentials::new().unwrap();
        assert!(!format!("{credentials:?}").contains(&credentials.secret_access_key));
    }
}
