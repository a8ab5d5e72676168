//! What stands in `brigade.toml`: `docs/config.md` says what may. Everything else is a problem, with its line.

use std::collections::BTreeMap;
use std::path::Path;

use brigade_store::Key;
use brigade_store::s3::{Addressing, Provider};
use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::suggestion::nearest;
use super::{NamedStore, Problem};

/// The keys of a store's section.
const KEYS: [&str; 8] =
    ["endpoint-url", "region", "profile", "provider", "addressing", "ca-bundle", "no-sign-request", "request-payer"];

/// What a location begins with that is no store's name.
const SCHEMES: [&str; 5] = ["s3", "gs", "file", "http", "https"];

/// What keys are called that hold secrets, in other programs' files.
const SECRET: [&str; 6] = ["secret", "accesskey", "password", "token", "credential", "hmac"];

/// The stores that the text names; relative paths in it start at its directory.
pub(super) fn parse(text: &str, directory: &Path) -> Result<BTreeMap<String, NamedStore>, Vec<Problem>> {
    let mut reading = Reading { text, directory, problems: Vec::new() };
    let table = DeTable::parse(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        vec![Problem { line: reading.line(at), text: format!("not TOML: {}", error.message()) }]
    })?;
    let mut stores = BTreeMap::new();
    for (name, value) in table.get_ref() {
        match (name.get_ref().as_ref(), value.get_ref()) {
            ("store", DeValue::Table(sections)) => {
                for (name, section) in sections {
                    stores.extend(reading.section(name, section));
                }
            }
            ("store", _) => reading.problem(name, "a store is a section of its own: [store.NAME]"),
            (unknown, _) => {
                let is_mistyped = nearest(unknown, ["store", "stores"].into_iter()).is_some();
                let meant = if is_mistyped { "did you mean [store.NAME]?" } else { "there is only [store.NAME]" };
                reading.problem(name, &format!("unknown section or key {}; {meant}", shown(unknown)));
            }
        }
    }
    reading.problems.sort_by_key(|problem| problem.line);
    if reading.problems.is_empty() { Ok(stores) } else { Err(reading.problems) }
}

/// Whether a store may be called so: letters, digits, `-` and `_`, and no scheme.
pub(super) fn may_name_a_store(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        && !SCHEMES.contains(&name.to_ascii_lowercase().as_str())
}

struct Reading<'a> {
    text: &'a str,
    directory: &'a Path,
    problems: Vec<Problem>,
}

type Name<'a> = Spanned<DeString<'a>>;
type Value<'a> = Spanned<DeValue<'a>>;

impl Reading<'_> {
    fn section(&mut self, name: &Name<'_>, section: &Value<'_>) -> Option<(String, NamedStore)> {
        let called = name.get_ref().as_ref();
        let DeValue::Table(keys) = section.get_ref() else {
            self.problem(name, &format!("a store is a section of its own: [store.{}]", shown(called)));
            return None;
        };
        if !may_name_a_store(called) {
            let rule = "begins with a letter, has letters, digits, - and _, and is no scheme such as s3";
            self.problem(name, &format!("{} can't be a store's name, which {rule}", shown(called)));
        }
        let mut store = NamedStore::default();
        for (key, value) in keys {
            self.key(&mut store, key, value);
        }
        Some((called.to_owned(), store))
    }

    fn key(&mut self, store: &mut NamedStore, key: &Name<'_>, value: &Value<'_>) {
        match key.get_ref().as_ref() {
            "endpoint-url" => store.endpoint_url = self.endpoint(key, value),
            "region" => store.region = self.text(key, value),
            "profile" => store.profile = self.text(key, value),
            "provider" => store.provider = self.one_of(key, value, &Provider::ALL.map(|one| (one.name(), one))),
            "addressing" => {
                let ways = [("auto", Addressing::Auto), ("path", Addressing::Path), ("virtual", Addressing::Virtual)];
                store.addressing = self.one_of(key, value, &ways);
            }
            "ca-bundle" => store.ca_bundle = self.text(key, value).map(|path| self.directory.join(path)),
            "no-sign-request" => store.no_sign_request = self.truth(key, value),
            "request-payer" => store.request_payer = self.truth(key, value),
            unknown => {
                let text = if holds_a_secret(unknown) {
                    format!(
                        "unknown key {}; no secrets in this file: put them into ~/.aws/credentials, and name the profile \
                         here (profile = \"NAME\")",
                        shown(unknown)
                    )
                } else {
                    let meant = nearest(unknown, KEYS.into_iter()).map_or_else(
                        || format!("there are: {}", KEYS.join(", ")),
                        |nearest| format!("did you mean {nearest}?"),
                    );
                    format!("unknown key {}; {meant}", shown(unknown))
                };
                self.problem(key, &text);
            }
        }
    }

    fn text(&mut self, key: &Name<'_>, value: &Value<'_>) -> Option<String> {
        match value.get_ref() {
            DeValue::String(text) if !text.trim().is_empty() => Some(text.to_string()),
            DeValue::String(_) => self.wrong(key, value, "must not be empty"),
            other => self.wrong(key, value, &format!("must be text in quotes, and is {}", kind(other))),
        }
    }

    fn truth(&mut self, key: &Name<'_>, value: &Value<'_>) -> Option<bool> {
        match value.get_ref() {
            DeValue::Boolean(truth) => Some(*truth),
            other => self.wrong(key, value, &format!("must be true or false, and is {}", kind(other))),
        }
    }

    fn one_of<T: Copy>(&mut self, key: &Name<'_>, value: &Value<'_>, choices: &[(&'static str, T)]) -> Option<T> {
        let text = self.text(key, value)?;
        let names = || choices.iter().map(|(name, _)| *name);
        if let Some((_, chosen)) = choices.iter().find(|(name, _)| *name == text) {
            return Some(*chosen);
        }
        let meant = nearest(&text, names()).map_or_else(
            || format!("there are: {}", names().collect::<Vec<_>>().join(", ")),
            |nearest| format!("did you mean {nearest}?"),
        );
        self.wrong(key, value, &format!("can't be {:?}; {meant}", shown(&text)))
    }

    /// An address, of which the client knows more: here only what would be a secret is refused, and not repeated.
    fn endpoint(&mut self, key: &Name<'_>, value: &Value<'_>) -> Option<String> {
        let url = self.text(key, value)?;
        let address = ["http://", "https://"].into_iter().find_map(|scheme| url.strip_prefix(scheme));
        match address {
            None => self.wrong(key, value, "must begin with http:// or https://"),
            Some(address) if address.contains('@') => {
                self.wrong(key, value, "holds no user and no password: put them into ~/.aws/credentials, as a profile")
            }
            Some(_) => Some(url),
        }
    }

    fn wrong<T>(&mut self, key: &Name<'_>, value: &Value<'_>, what: &str) -> Option<T> {
        let text = format!("{} {what}", key.get_ref());
        let line = self.line(value.span().start);
        self.problems.push(Problem { line, text });
        None
    }

    fn problem(&mut self, at: &Name<'_>, text: &str) {
        let line = self.line(at.span().start);
        self.problems.push(Problem { line, text: text.to_owned() });
    }

    /// The line of a place in the text, counted from 1.
    fn line(&self, place: usize) -> usize {
        1 + self.text.bytes().take(place).filter(|byte| *byte == b'\n').count()
    }
}

fn holds_a_secret(key: &str) -> bool {
    let letters: String = key.chars().filter(|letter| !"-_.".contains(*letter)).flat_map(char::to_lowercase).collect();
    SECRET.iter().any(|word| letters.contains(word))
}

fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "text",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a section",
    }
}

/// A name in one line that a terminal can't act upon.
fn shown(name: &str) -> String {
    Key::from(name).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(text: &str) -> Vec<String> {
        let problems = parse(text, Path::new("/etc")).unwrap_err();
        problems.into_iter().map(|problem| format!("{}: {}", problem.line, problem.text)).collect()
    }

    #[test]
    fn stores_are_read_with_everything_that_they_may_say() {
        let text = "\
            # The one in the cellar.\n\
            [store.nas]\n\
            endpoint-url = \"http://nas:9000\"\n\
            region = 'eu-1'\n\
            profile = \"cellar\"\n\
            provider = \"minio\"\n\
            addressing = \"path\"\n\
            ca-bundle = \"nas.pem\"\n\
            no-sign-request = true\n\
            request-payer = false\n\
            [store.Off-site_2]\n";
        let stores = parse(text, Path::new("/etc")).unwrap();
        let nas = NamedStore {
            endpoint_url: Some("http://nas:9000".into()),
            region: Some("eu-1".into()),
            profile: Some("cellar".into()),
            provider: Some("minio".parse().unwrap()),
            addressing: Some(Addressing::Path),
            ca_bundle: Some("/etc/nas.pem".into()),
            no_sign_request: Some(true),
            request_payer: Some(false),
        };
        let expected = [("Off-site_2".to_owned(), NamedStore::default()), ("nas".to_owned(), nas)];
        assert_eq!(stores, BTreeMap::from(expected));
        assert_eq!(parse("", Path::new("")), Ok(BTreeMap::new()));
        let absolute = parse("store.a.ca-bundle = '/x.pem'", Path::new("/etc")).unwrap();
        assert_eq!(absolute["a"].ca_bundle.as_deref(), Some(Path::new("/x.pem")));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line_and_what_may_have_been_meant() {
        let table = [
            ("\n[stor.nas]\n", "2: unknown section or key stor; did you mean [store.NAME]?"),
            ("region = \"x\"\n", "1: unknown section or key region; there is only [store.NAME]"),
            ("store = 1\n", "1: a store is a section of its own: [store.NAME]"),
            ("[store]\nnas = 'x'\n", "2: a store is a section of its own: [store.nas]"),
            ("[store.s3]\n", "1: s3 can't be a store's name"),
            ("[store.\"a b\"]\n", "1: a b can't be a store's name"),
            ("[store.nas]\n\nendpoint_url = 'x'", "3: unknown key endpoint_url; did you mean endpoint-url?"),
            ("[store.nas]\nbucket = 'x'", "2: unknown key bucket; there are: endpoint-url, region,"),
            ("[store.nas]\nregion = 3", "2: region must be text in quotes, and is a number"),
            ("[store.nas]\nregion = ''", "2: region must not be empty"),
            ("[store.nas]\nno-sign-request = 'yes'", "2: no-sign-request must be true or false, and is text"),
            ("[store.nas]\nprovider = 'mini'", "2: provider can't be \"mini\"; did you mean minio?"),
            ("[store.nas]\naddressing = 'host'", "2: addressing can't be \"host\"; there are: auto, path, virtual"),
            ("[store.nas]\nendpoint-url = 'nas:9000'", "2: endpoint-url must begin with http:// or https://"),
            ("[store.nas]\nregion = \"x\"\nregion = 'y'", "3: not TOML: duplicate key"),
            ("[store.nas\n", "1: not TOML: "),
        ];
        for (text, expected) in table {
            let problems = problems(text);
            assert!(problems.len() == 1 && problems[0].starts_with(expected), "{text:?}: {problems:?}");
        }
        let both = problems("[store.a]\nx-y = 1\n[store.b]\nregion = 1\n");
        assert_eq!(both.len(), 2, "all are told: {both:?}");
        assert!(both[0].starts_with("2: ") && both[1].starts_with("4: "), "{both:?}");
    }

    #[test]
    fn secrets_are_refused_and_not_repeated() {
        for line in [
            "secret-access-key = 'hush'",
            "aws_access_key_id = 'hush'",
            "session-token = 'hush'",
            "Password = 'hush'",
            "endpoint-url = 'https://user:hush@nas'",
            "region = ['hush']",
        ] {
            let problems = problems(&format!("[store.nas]\n{line}"));
            assert!(!problems[0].contains("hush"), "{problems:?}");
            let is_told = problems[0].contains("~/.aws/credentials");
            assert_eq!(is_told, !line.starts_with("region"), "{problems:?}");
        }
    }
}
