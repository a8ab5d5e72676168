//! Which keys take part: gitignore's globs, judged per key, the last match wins.

use globset::{Candidate, Glob, GlobBuilder, GlobSet, GlobSetBuilder};

use brigade_store::{Extent, Key, Unknown};

/// One `--exclude` or `--include`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Keys that match are left out.
    Exclude(String),
    /// Keys that match are let in.
    Include(String),
}

/// The rules of a job, compiled.
///
/// A rule judges a key by itself, never a directory: an include can let in
/// what lies below something excluded. A pattern with a `/` at its beginning
/// or in its middle counts from the root, any other matches at every level; it
/// also matches everything below what it names, and with a `/` at its end
/// only that.
#[derive(Clone, Debug, Default)]
pub struct Filters {
    rules: Vec<Rule>,
    globs: GlobSet,
    /// The rule that each glob of the set belongs to.
    rule_of_glob: Vec<usize>,
    /// Files of ledgers, and locks, which take no part whatever the rules say.
    ledgers: Vec<LedgerFiles>,
}

/// Where at a location files of ledgers, or locks, are: a run that sent or
/// deleted them would meddle with its own memory, or with that of others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerFiles {
    /// The directory that they are in, as keys below it begin: empty for the root, else ending in `/`.
    pub directory: Key,
    /// What the one is called that is in use there, if one is. Those that have
    /// the names of ledgers are left out in any case.
    pub name: Option<Vec<u8>>,
}

impl LedgerFiles {
    fn have(&self, key: &Key) -> bool {
        let Some(file) = key.as_bytes().strip_prefix(self.directory.as_bytes()) else { return false };
        let beside = [&b""[..], b"-wal", b"-shm", b"-journal", b".lock"];
        beside.iter().any(|suffix| {
            let ledger = file.strip_suffix(*suffix);
            ledger.is_some_and(|ledger| Some(ledger) == self.name.as_deref() || is_ledger_name(ledger))
        })
    }
}

/// Whether a file in a directory of ledgers is one, by its name: `0123456789abcdef.ledger`.
fn is_ledger_name(name: &[u8]) -> bool {
    name.strip_suffix(b".ledger").is_some_and(|digits| digits.len() == 16 && digits.iter().all(u8::is_ascii_hexdigit))
}

/// A pattern that is no glob.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the pattern {pattern:?} is not a glob: {reason}")]
pub struct PatternError {
    /// The pattern as written.
    pub pattern: String,
    /// What is wrong with it.
    pub reason: String,
}

/// Which rules have matched a key so far, to warn of those that never do.
#[derive(Clone, Debug)]
pub struct Matched(Vec<bool>);

/// What the filters say of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// Whether it takes part.
    pub takes_part: bool,
    /// The rule that decided, counted from 0; `None` where none matches.
    pub rule: Option<usize>,
    /// Whether it is a file of a ledger, or a lock, which takes no part whatever the rules say.
    pub is_ledger: bool,
}

impl Matched {
    /// Adds the rules that have matched another key.
    pub(crate) fn add(&mut self, other: &Self) {
        for (matched, other) in self.0.iter_mut().zip(&other.0) {
            *matched |= other;
        }
    }
}

impl Filters {
    /// Compiles the rules, in the order of the command line.
    pub fn new(rules: &[Rule]) -> Result<Self, PatternError> {
        let mut globs = GlobSetBuilder::new();
        let mut rule_of_glob = Vec::new();
        for (index, rule) in rules.iter().enumerate() {
            for glob in globs_of(rule.pattern())? {
                globs.add(glob);
                rule_of_glob.push(index);
            }
        }
        let globs =
            globs.build().map_err(|error| PatternError { pattern: String::new(), reason: error.kind().to_string() })?;
        Ok(Self { rules: rules.to_vec(), globs, rule_of_glob, ledgers: vec![] })
    }

    /// The same, which leaves these files out.
    #[must_use]
    pub fn leaving_out(self, ledgers: Vec<LedgerFiles>) -> Self {
        Self { ledgers, ..self }
    }

    /// Whether the key takes part.
    #[must_use]
    pub fn includes(&self, key: &Key, matched: &mut Matched) -> bool {
        self.judge(key, matched).takes_part
    }

    /// Whether something that the store could not tell of takes part: a key by itself; what lies below one,
    /// unless no key there could take part.
    #[must_use]
    pub fn concerns(&self, unknown: &Unknown, matched: &mut Matched) -> bool {
        let judgement = self.judge(&unknown.key, matched);
        if judgement.takes_part || judgement.is_ledger || unknown.extent == Extent::Key {
            return judgement.takes_part;
        }
        let mut later = self.rules.iter().skip(judgement.rule.unwrap_or_default());
        later.any(|rule| matches!(rule, Rule::Include(pattern) if reaches_below(pattern, &unknown.key)))
    }

    /// Judges the key by the last rule that matches. Where none does, it takes
    /// part unless the first rule is an include: that one means "only these".
    #[must_use]
    pub fn judge(&self, key: &Key, matched: &mut Matched) -> Judgement {
        if self.ledgers.iter().any(|ledgers| ledgers.have(key)) {
            return Judgement { takes_part: false, rule: None, is_ledger: true };
        }
        if self.rules.is_empty() {
            return Judgement { takes_part: true, rule: None, is_ledger: false };
        }
        let mut last = None;
        for glob in self.globs.matches_candidate(&Candidate::from_bytes(key.as_bytes())) {
            let rule = self.rule_of_glob[glob];
            matched.0[rule] = true;
            last = last.max(Some(rule));
        }
        let is_include = |rule: usize| matches!(self.rules[rule], Rule::Include(_));
        Judgement { takes_part: last.map_or(!is_include(0), is_include), rule: last, is_ledger: false }
    }

    /// A rule, by its place, counted from 0.
    #[must_use]
    pub fn rule(&self, place: usize) -> Option<&Rule> {
        self.rules.get(place)
    }

    /// The rules, in their order.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// That no rule has matched yet.
    #[must_use]
    pub fn none_matched(&self) -> Matched {
        Matched(vec![false; self.rules.len()])
    }

    /// The patterns of the rules that never matched, as they were written.
    pub fn unmatched<'a>(&'a self, matched: &'a Matched) -> impl Iterator<Item = &'a str> {
        self.rules.iter().zip(&matched.0).filter(|(_, matched)| !**matched).map(|(rule, _)| rule.pattern())
    }
}

impl Rule {
    /// The glob as it was written.
    #[must_use]
    pub fn pattern(&self) -> &str {
        match self {
            Self::Exclude(pattern) | Self::Include(pattern) => pattern,
        }
    }
}

/// Whether the pattern may match keys below this one; where that is hard to tell, it may.
fn reaches_below(pattern: &str, place: &Key) -> bool {
    let name = pattern.strip_suffix('/').unwrap_or(pattern);
    if !name.contains('/') {
        return true;
    }
    let names = name.strip_prefix('/').unwrap_or(name).split('/');
    let plain = names.take_while(|name| !name.contains(['*', '?', '[', '{', '\\']));
    let place = place.as_bytes().strip_suffix(b"/").unwrap_or(place.as_bytes());
    plain.zip(place.split(|&byte| byte == b'/')).all(|(name, directory)| name.as_bytes() == directory)
}

/// The globs that one of gitignore's patterns stands for: what it names, and everything below.
fn globs_of(pattern: &str) -> Result<Vec<Glob>, PatternError> {
    let only_below = pattern.ends_with('/');
    let name = pattern.strip_suffix('/').unwrap_or(pattern);
    let from_root = name.contains('/');
    let name = name.strip_prefix('/').unwrap_or(name);
    if name.is_empty() {
        return Err(PatternError { pattern: pattern.to_owned(), reason: "it names nothing".to_owned() });
    }
    let named = if from_root { name.to_owned() } else { format!("**/{name}") };
    // `**` is any number of directories, none included, but what `**/` names is at least one.
    let named = if only_below && name.split('/').next_back() == Some("**") { format!("{named}/*") } else { named };
    let below = format!("{named}/**");
    let texts = if only_below { vec![below] } else { vec![named, below] };
    texts
        .iter()
        .map(|text| {
            GlobBuilder::new(text)
                .literal_separator(true)
                .backslash_escape(true)
                .build()
                .map_err(|error| PatternError { pattern: pattern.to_owned(), reason: error.kind().to_string() })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn included(rules: &[Rule], key: &str) -> bool {
        let filters = Filters::new(rules).unwrap();
        let mut matched = filters.none_matched();
        filters.includes(&Key::from(key), &mut matched)
    }

    #[test]
    fn a_place_that_could_not_be_listed_takes_part_if_anything_below_may() {
        let exclude = |pattern: &str| Rule::Exclude(pattern.into());
        let include = |pattern: &str| Rule::Include(pattern.into());
        let table = [
            (vec![], "d/", true),
            (vec![exclude("d/")], "d/", false),
            (vec![exclude("*.tmp")], "d/", true),
            (vec![include("*.jpg")], "d/", true),
            (vec![include("/d/x")], "d/", true),
            (vec![include("/d/x")], "e/", false),
            (vec![include("/d/x")], "d/y/", false),
            (vec![include("/d/*/x")], "d/y/", true),
            (vec![exclude("d/"), include("*.jpg")], "d/", true),
            (vec![include("*.jpg"), exclude("d/")], "d/", false),
            (vec![exclude("/d/"), include("/{d,e}/x")], "d/", true),
        ];
        for (rules, key, expected) in table {
            let filters = Filters::new(&rules).unwrap();
            let reason = brigade_store::UnknownReason::Unreadable("no".into());
            let unknown = |extent| Unknown { key: key.into(), extent, reason: reason.clone() };
            let mut matched = filters.none_matched();
            assert_eq!(filters.concerns(&unknown(Extent::Below), &mut matched), expected, "{rules:?} {key}");
            let alone = filters.includes(&key.into(), &mut matched);
            assert_eq!(filters.concerns(&unknown(Extent::Key), &mut matched), alone, "{rules:?} {key}");
        }
    }

    #[test]
    fn a_pattern_matches_as_gitignore_says() {
        let table = [
            ("*.tmp", "a.tmp", true),
            ("*.tmp", "deep/down/a.tmp", true),
            ("*.tmp", "a.tmp/inside", true),
            ("*.tmp", "a.tmpx", false),
            ("**/", "a", false),
            ("**/", "a/b", true),
            ("a/**/", "a/b", false),
            ("a/**/", "a/b/c", true),
            ("/top", "top", true),
            ("/top", "top/below", true),
            ("/top", "deep/top", false),
            ("a/b", "a/b", true),
            ("a/b", "x/a/b", false),
            ("a/*.c", "a/x.c", true),
            ("a/*.c", "a/b/x.c", false),
            ("a/**/c", "a/c", true),
            ("a/**/c", "a/x/y/c", true),
            ("**/logs", "x/logs/today", true),
            ("node_modules/", "node_modules/x", true),
            ("node_modules/", "deep/node_modules/x/y", true),
            ("node_modules/", "node_modules", false),
            ("[ab]?", "a1", true),
            ("[ab]?", "c1", false),
            ("{a,b}.txt", "b.txt", true),
            ("\\*", "*", true),
            ("\\*", "x", false),
            ("*", "anything/at/all", true),
            ("é*", "ete", false),
            ("é*", "école", true),
        ];
        for (pattern, key, matches) in table {
            assert_eq!(included(&[Rule::Exclude(pattern.into())], key), !matches, "{pattern} on {key}");
        }
    }

    #[test]
    fn the_last_match_wins_and_a_first_include_means_only_these() {
        let exclude = |pattern: &str| Rule::Exclude(pattern.into());
        let include = |pattern: &str| Rule::Include(pattern.into());
        let all_but_images = [exclude("*"), include("*.jpg")];
        assert!(included(&all_but_images, "deep/a.jpg"));
        assert!(!included(&all_but_images, "a.png"));
        let only_images = [include("*.jpg")];
        assert!(included(&only_images, "a.jpg"));
        assert!(!included(&only_images, "a.png"));
        let other_order = [include("*.jpg"), exclude("*")];
        assert!(!included(&other_order, "a.jpg"));
        assert!(included(&[], "a"));
    }

    #[test]
    fn a_key_that_is_no_text_is_judged_by_its_bytes() {
        let filters = Filters::new(&[Rule::Exclude("*.tmp".into())]).unwrap();
        let mut matched = filters.none_matched();
        assert!(!filters.includes(&Key::new(&b"\xff\n.tmp"[..]), &mut matched));
    }

    #[test]
    fn patterns_that_never_match_are_named() {
        let filters = Filters::new(&[Rule::Exclude("*.tmp".into()), Rule::Exclude("*.tpm".into())]).unwrap();
        let mut matched = filters.none_matched();
        assert!(!filters.includes(&Key::from("a.tmp"), &mut matched));
        assert_eq!(filters.unmatched(&matched).collect::<Vec<_>>(), ["*.tpm"]);
    }

    #[test]
    fn what_is_no_glob_is_refused_with_the_pattern() {
        for pattern in ["[a", "{a", "", "/", "a\\"] {
            let error = Filters::new(&[Rule::Exclude(pattern.into())]).unwrap_err();
            assert_eq!(error.pattern, pattern);
        }
    }

    #[test]
    fn files_of_ledgers_take_no_part_whatever_the_rules_say() {
        let files = |directory: &str, name: Option<&str>| LedgerFiles {
            directory: Key::from(directory),
            name: name.map(|name| name.as_bytes().to_vec()),
        };
        let all = vec![files(".local/state/brigade/", Some("mine")), files("state/", None)];
        let filters = Filters::new(&[Rule::Include("**".into())]).unwrap().leaving_out(all);
        let table = [
            (".local/state/brigade/0123456789abcdef.ledger", false),
            (".local/state/brigade/0123456789abcdef.ledger-wal", false),
            (".local/state/brigade/0123456789abcdef.ledger.lock", false),
            (".local/state/brigade/mine", false),
            (".local/state/brigade/mine-shm", false),
            (".local/state/brigade/mine.txt", true),
            (".local/state/brigade/accounts.ledger", true),
            (".local/state/brigade/sub/0123456789abcdef.ledger", true),
            ("0123456789abcdef.ledger", true),
            ("state/0123456789abcdef.ledger", false),
            ("state/mine", true),
            ("state/", true),
        ];
        for (key, takes_part) in table {
            assert_eq!(filters.includes(&Key::from(key), &mut filters.none_matched()), takes_part, "{key}");
        }
    }
}
