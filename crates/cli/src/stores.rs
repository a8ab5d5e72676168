//! `brigade.toml`: the stores that a person has given names, for `NAME:bucket/prefix` on the command line.

mod file;
mod find;
mod suggestion;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use brigade_store::Location;
use brigade_store::browse::Place;
use brigade_store::s3::{Addressing, Provider};

use crate::resolve::UsageError;
use suggestion::nearest;

/// How a store is reached, as far as its section says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct NamedStore {
    pub(crate) endpoint_url: Option<String>,
    pub(crate) region: Option<String>,
    pub(crate) profile: Option<String>,
    pub(crate) provider: Option<Provider>,
    pub(crate) addressing: Option<Addressing>,
    pub(crate) ca_bundle: Option<PathBuf>,
    pub(crate) no_sign_request: Option<bool>,
    pub(crate) request_payer: Option<bool>,
}

/// The stores that have names, and where that stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Stores {
    /// The file; `None` where there is none.
    pub(crate) path: Option<PathBuf>,
    pub(crate) by_name: BTreeMap<String, NamedStore>,
}

/// A place on the command line, and the store that it was named with.
#[derive(Clone, Debug)]
pub(crate) struct Located<T = Location> {
    pub(crate) place: T,
    pub(crate) store: Option<NamedStore>,
}

/// What is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    /// Counted from 1.
    pub(crate) line: usize,
    /// What, and what to do about it; never a value that could be a secret.
    pub(crate) text: String,
}

/// A file that can't be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoresError {
    /// It can't be read.
    #[error("could not read {path}: {reason}")]
    Unreadable {
        /// The file.
        path: String,
        /// What the system says.
        reason: std::io::Error,
    },
    /// Something in it is wrong.
    #[error("{}", each(path, problems).collect::<Vec<_>>().join("; "))]
    Wrong {
        /// The file.
        path: String,
        /// At least one.
        problems: Vec<Problem>,
    },
}

impl StoresError {
    /// Each reason by itself.
    pub(crate) fn reasons(&self) -> Vec<String> {
        match self {
            Self::Unreadable { .. } => vec![self.to_string()],
            Self::Wrong { path, problems } => each(path, problems).collect(),
        }
    }
}

fn each(path: &str, problems: &[Problem]) -> impl Iterator<Item = String> {
    problems.iter().map(move |Problem { line, text }| format!("{path}:{line}: {text}"))
}

impl Stores {
    /// Reads the file: the one that `--config` names, or else the first that there is.
    pub(crate) fn read(named: Option<&OsStr>) -> Result<Self, StoresError> {
        let variable = |name: &str| std::env::var_os(name);
        let Some(path) = find::file(named, variable, Path::exists) else { return Ok(Self::default()) };
        let shown = || path.display().to_string();
        let text =
            std::fs::read_to_string(&path).map_err(|reason| StoresError::Unreadable { path: shown(), reason })?;
        let directory = path.parent().unwrap_or(Path::new(""));
        let by_name =
            file::parse(&text, directory).map_err(|problems| StoresError::Wrong { path: shown(), problems })?;
        Ok(Self { path: Some(path), by_name })
    }

    /// Where a file is looked for that nobody has named.
    pub(crate) fn usual_places() -> Vec<PathBuf> {
        find::usual_places(|name| std::env::var_os(name))
    }

    /// What a location means: `NAME:bucket[/prefix]`, where that is a store's name, or what it means without names.
    pub(crate) fn locate(&self, written: &OsStr) -> Result<Located, UsageError> {
        let Some((text, below, store)) = self.named(written)? else {
            return Ok(Located { place: Location::parse(written)?, store: None });
        };
        if below.is_empty() {
            return Err(UsageError::StoreWithoutBucket { written: text.to_owned() });
        }
        Ok(Located { place: Location::in_store(text, below)?, store: Some(store.clone()) })
    }

    /// The same of what can be looked into: `NAME:` is all of the store's buckets.
    pub(crate) fn look_into(&self, written: &OsStr) -> Result<Located<Place>, UsageError> {
        match self.named(written)? {
            Some((_, "", store)) => Ok(Located { place: Place::Account, store: Some(store.clone()) }),
            Some(_) => {
                let Located { place, store } = self.locate(written)?;
                Ok(Located { place: Place::Location(place), store })
            }
            None => Ok(Located { place: Place::parse(written)?, store: None }),
        }
    }

    /// What was written, what stands after a store's name, and the store.
    fn named<'a>(&self, written: &'a OsStr) -> Result<Option<(&'a str, &'a str, &NamedStore)>, UsageError> {
        let Some((text, name, below)) = split(written) else { return Ok(None) };
        match self.by_name.get(name) {
            Some(_) if below.starts_with("//") => Err(UsageError::StoreWithSlashes {
                written: text.to_owned(),
                meant: format!("{name}:{}", below.trim_start_matches('/')),
            }),
            Some(store) => Ok(Some((text, below, store))),
            // Whoever has stores and mistypes one must not find a directory of that name full of copies.
            None if self.is_mistaken(name, below) && !Path::new(written).exists() => {
                Err(UsageError::NoSuchStore { written: text.to_owned(), name: name.to_owned(), hint: self.hint(name) })
            }
            None => Ok(None),
        }
    }

    /// Whether this is hardly a directory.
    fn is_mistaken(&self, name: &str, below: &str) -> bool {
        !self.by_name.is_empty() && file::may_name_a_store(name) && !below.starts_with('/')
    }

    fn hint(&self, name: &str) -> String {
        let names = self.by_name.keys().map(String::as_str);
        nearest(name, names.clone()).map_or_else(
            || format!("there are: {}", names.collect::<Vec<_>>().join(", ")),
            |nearest| format!("did you mean {nearest}?"),
        )
    }
}

/// What was written, what stands before its first colon, and after it.
fn split(written: &OsStr) -> Option<(&str, &str, &str)> {
    let text = written.to_str()?;
    text.split_once(':').map(|(name, below)| (text, name, below))
}

#[cfg(test)]
mod tests {
    use brigade_store::Service;

    use super::*;

    fn stores(names: &[&str]) -> Stores {
        let by_name = names.iter().map(|name| ((*name).to_owned(), NamedStore::default())).collect();
        Stores { path: None, by_name }
    }

    #[test]
    fn a_name_is_a_store_only_if_there_is_one() {
        let (none, nas) = (stores(&[]), stores(&["nas", "C"]));
        let bucket = |written: &str, bucket: &str, prefix: &str| Location::Bucket {
            service: Service::S3,
            bucket: bucket.into(),
            prefix: prefix.into(),
            written: written.into(),
        };
        let table = [
            (&nas, "nas:photos", Ok((bucket("nas:photos", "photos", ""), true))),
            (&nas, "nas:photos/2024//x", Ok((bucket("nas:photos/2024//x", "photos", "2024//x/"), true))),
            (&nas, "C:photos", Ok((bucket("C:photos", "photos", ""), true))),
            (&nas, "s3://photos/p", Ok((bucket("s3://photos/p", "photos", "p/"), false))),
            (&nas, "./nas:photos", Ok((Location::Local("./nas:photos".into()), false))),
            (&nas, "/tmp/nas:photos", Ok((Location::Local("/tmp/nas:photos".into()), false))),
            (&nas, "C2:/x", Ok((Location::Local("C2:/x".into()), false))),
            (&none, "nas:photos", Ok((Location::Local("nas:photos".into()), false))),
            (
                &nas,
                "nsa:photos",
                Err("no store is called nsa; did you mean nas? (a directory of this name is written ./nsa:photos)"),
            ),
            (&nas, "elsewhere:photos", Err("no store is called elsewhere; there are: C, nas")),
            (&nas, "nas:", Err("nas: names a store; write nas:bucket[/prefix]")),
            (&nas, "nas://photos", Err("a store's name has no slashes after it: write nas:photos")),
            (&nas, "nas:no", Err("no bucket is called \"no\"")),
            (&nas, "s3:photos", Err("write s3://bucket[/prefix] for a bucket")),
        ];
        for (stores, written, expected) in table {
            let located = stores.locate(OsStr::new(written));
            match (located, expected) {
                (Ok(located), Ok((place, is_named))) => {
                    assert_eq!((located.place, located.store.is_some()), (place, is_named), "{written}");
                }
                (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{written}: {error}"),
                (located, _) => panic!("{written}: {located:?}"),
            }
        }
    }

    #[test]
    fn a_directory_that_is_there_is_one_whatever_its_name() {
        // Where the tests run.
        let written = OsStr::new("src");
        assert!(stores(&["nas"]).locate(written).is_ok());
        let directory = tempfile::tempdir().unwrap();
        let odd = directory.path().join("odd:name");
        std::fs::create_dir(&odd).unwrap();
        assert_eq!(stores(&["nas"]).locate(odd.as_os_str()).unwrap().place, Location::Local(odd));
    }

    #[test]
    fn a_store_s_buckets_can_be_listed() {
        let found = stores(&["nas"]).look_into(OsStr::new("nas:")).unwrap();
        assert!(found.place == Place::Account && found.store.is_some());
        let found = stores(&["nas"]).look_into(OsStr::new("s3://")).unwrap();
        assert!(found.place == Place::Account && found.store.is_none());
    }
}
