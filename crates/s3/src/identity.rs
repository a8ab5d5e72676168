//! As whom requests are sent: nobody, a key that signs them, or a token of Google's that goes with them.

use std::sync::Arc;
use std::time::{Instant, SystemTime};

use aws_credential_types::Credentials;
use http::HeaderMap;

use crate::credentials::{CachedCredentials, CredentialsOrigin, FetchError, GoogleTokens};

/// As whom requests are sent.
pub(crate) enum Identity {
    /// As nobody: they are not signed.
    Nobody,
    /// As the owner of a key.
    Key(Box<CachedCredentials>),
    /// As whom Google's application default credentials say.
    Google(GoogleTokens),
}

/// What one request shows of it.
pub(crate) enum Shown {
    Nothing,
    /// A signature with this key.
    Signature(Arc<Credentials>),
    /// These headers, one of which is secret.
    Headers(HeaderMap),
}

impl Identity {
    /// Whether it is nobody's.
    pub(crate) fn is_nobody(&self) -> bool {
        matches!(self, Self::Nobody)
    }

    /// Whether what is sent is signed.
    pub(crate) fn signs(&self) -> bool {
        matches!(self, Self::Key(_))
    }

    /// The id of the key, whole; `None` where there is none.
    pub(crate) fn access_key_id(&self) -> Option<String> {
        match self {
            Self::Key(key) => Some(key.access_key_id()),
            Self::Nobody | Self::Google(_) => None,
        }
    }

    /// Where the credentials come from; `None` where there are none.
    pub(crate) fn origin(&self) -> Option<CredentialsOrigin> {
        match self {
            Self::Nobody => None,
            Self::Key(key) => Some(key.origin()),
            Self::Google(tokens) => Some(tokens.origin()),
        }
    }

    /// What a request shows now.
    pub(crate) async fn shown(&self) -> Result<Shown, FetchError> {
        Ok(match self {
            Self::Nobody => Shown::Nothing,
            Self::Key(key) => Shown::Signature(key.current(SystemTime::now()).await?),
            Self::Google(tokens) => Shown::Headers(tokens.headers().await?),
        })
    }

    /// Fetches others after the service has refused a request that was sent then, unless
    /// another request has had that done since; `None` where there are none to be had.
    pub(crate) async fn replace(&self, sent: Instant) -> Option<Result<(), FetchError>> {
        match self {
            Self::Nobody => None,
            Self::Key(key) => Some(key.replace(sent).await),
            Self::Google(tokens) => Some(tokens.replace(sent).await),
        }
    }
}
