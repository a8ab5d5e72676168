//! Where credentials come from, told so that nothing secret is told with it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, future};

/// Characters of an access key id that are shown at each end.
const SHOWN: usize = 4;

/// Where credentials come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialsOrigin {
    /// What gave them, for people: `the profile work`.
    pub source: String,
    /// The access key id, of which only the ends are shown; no secret. A token has none.
    pub access_key_id: Option<String>,
    /// When they expire, if they do.
    pub expires: Option<SystemTime>,
}

impl CredentialsOrigin {
    /// Of these credentials.
    pub(super) fn of(credentials: &Credentials, source: &str) -> Self {
        Self {
            source: source.to_owned(),
            access_key_id: Some(shortened(credentials.access_key_id())),
            expires: credentials.expiry(),
        }
    }
}

/// Which of several providers gave credentials last, for people.
#[derive(Clone, Debug, Default)]
pub(crate) struct Giver(Arc<Mutex<String>>);

impl Giver {
    /// What gave them is known from the start.
    pub(super) fn is(self, name: impl Into<String>) -> Self {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = name.into();
        self
    }

    /// Its name.
    pub(super) fn name(&self) -> String {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The same provider, which is remembered by this name when it gives some.
    pub(super) fn noting<P>(&self, name: impl Into<String>, provider: P) -> Noted<P> {
        Noted { giver: self.clone(), name: name.into(), provider }
    }
}

/// A provider that is remembered when it gives credentials.
#[derive(Debug)]
pub(super) struct Noted<P> {
    giver: Giver,
    name: String,
    provider: P,
}

impl<P: ProvideCredentials> ProvideCredentials for Noted<P> {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async {
            let given = self.provider.provide_credentials().await?;
            drop(self.giver.clone().is(self.name.as_str()));
            Ok(given)
        })
    }
}

fn shortened(id: &str) -> String {
    let characters: Vec<char> = id.chars().collect();
    let ends = if characters.len() > 3 * SHOWN { SHOWN } else { 1.min(characters.len()) };
    let [start, end] = [&characters[..ends], &characters[characters.len() - ends..]].map(String::from_iter);
    format!("{start}...{end}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_origin_is_told_and_no_secret() {
        let giver = Giver::default();
        let credentials = Credentials::new("AKIAIOSFODNN7EXAMPLE", "hush", Some("hush".to_owned()), None, "test");
        let provider = giver.noting("the profile work", credentials.clone());
        assert_eq!(giver.name(), "", "nothing was given yet");
        provider.provide_credentials().await.unwrap();
        let origin = CredentialsOrigin::of(&credentials, &giver.name());
        assert_eq!(
            (origin.source.as_str(), origin.access_key_id.as_deref()),
            ("the profile work", Some("AKIA...MPLE"))
        );
        assert!(!format!("{origin:?}").contains("hush"));
        assert_eq!([shortened(""), shortened("a"), shortened("minioadmin")], ["...", "a...a", "m...n"]);
    }
}
