//! In the place of Google's tokens, where the program is built without them: there are none.

use std::convert::Infallible;
use std::time::Instant;

use http::HeaderMap;

use super::{CredentialsOrigin, FetchError};
use crate::error::ConfigError;

/// What there is none of.
pub(crate) struct GoogleTokens(Infallible);

impl GoogleTokens {
    #[expect(clippy::unused_async, reason = "where there are tokens, they are waited for")]
    pub(crate) async fn find() -> Result<Self, ConfigError> {
        let reason = "this program is built without Google's application default credentials";
        Err(ConfigError::NoGoogleCredentials(reason.to_owned()))
    }

    pub(crate) fn origin(&self) -> CredentialsOrigin {
        match self.0 {}
    }

    #[expect(clippy::unused_async, reason = "where there are tokens, they are waited for")]
    pub(crate) async fn headers(&self) -> Result<HeaderMap, FetchError> {
        match self.0 {}
    }

    #[expect(clippy::unused_async, reason = "where there are tokens, they are waited for")]
    pub(crate) async fn replace(&self, _sent: Instant) -> Result<(), FetchError> {
        match self.0 {}
    }
}
