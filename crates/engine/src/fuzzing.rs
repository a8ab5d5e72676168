//! What must hold for any input whatever: what the fuzz target asserts, and
//! tests on the inputs that it found.

#![allow(clippy::missing_panics_doc, reason = "a check that fails panics: it is what they are for")]

#[cfg(test)]
#[path = "../../../fuzz/replay.rs"]
mod replay;

use brigade_store::Key;

use crate::filters::{Filters, Rule};

/// More patterns than a person writes, and longer ones, would only slow the search down.
const MOST_RULES: usize = 6;
const LONGEST_INPUT: usize = 512;

/// Rules, one a line (`+pattern` or `-pattern`), an empty line, then keys, one
/// a line. Rules that compile judge a key always the same, and where a simple
/// matcher knows the patterns too, as that one does.
pub fn filters(rules_and_keys: &[u8]) {
    let Some(rules_and_keys) = rules_and_keys.get(..rules_and_keys.len().min(LONGEST_INPUT)) else { return };
    let mut lines = rules_and_keys.split(|byte| *byte == b'\n');
    let rules = lines.by_ref().take_while(|line| !line.is_empty()).take(MOST_RULES);
    let Some(rules) = rules.map(rule).collect::<Option<Vec<_>>>() else { return };
    let Ok(filters) = Filters::new(&rules) else { return };
    let simple: Option<Vec<_>> = rules.iter().map(|rule| Simple::parse(rule.pattern())).collect();
    for key in lines {
        let key = Key::new(key);
        let (mut first, mut second) = (filters.none_matched(), filters.none_matched());
        let verdict = filters.includes(&key, &mut first);
        assert_eq!(verdict, filters.includes(&key, &mut second), "{rules:?} {key}");
        assert!(filters.unmatched(&first).eq(filters.unmatched(&second)), "{rules:?} {key}");
        if let Some(simple) = &simple {
            assert_eq!(verdict, judge(&rules, simple, key.as_bytes()), "{rules:?} {key}");
        }
    }
}

fn rule(line: &[u8]) -> Option<Rule> {
    let text = std::str::from_utf8(line).ok()?;
    match text.strip_prefix('+') {
        Some(pattern) => Some(Rule::Include(pattern.to_owned())),
        None => text.strip_prefix('-').map(|pattern| Rule::Exclude(pattern.to_owned())),
    }
}

/// The last rule that matches decides; without one, whether the first excludes.
fn judge(rules: &[Rule], patterns: &[Simple], key: &[u8]) -> bool {
    let is_include = |rule: &Rule| matches!(rule, Rule::Include(_));
    let last = rules.iter().zip(patterns).rfind(|(_, pattern)| pattern.matches(key));
    last.map_or(!rules.first().is_some_and(is_include), |(rule, _)| is_include(rule))
}

/// A pattern of literal characters, `?`, `*`, and `**` as a whole component.
struct Simple {
    components: Vec<Vec<u8>>,
    /// Whether it matches only what is below what it names.
    only_below: bool,
}

impl Simple {
    fn parse(pattern: &str) -> Option<Self> {
        let only_below = pattern.ends_with('/');
        let name = pattern.strip_suffix('/').unwrap_or(pattern);
        let from_root = name.contains('/');
        let name = name.strip_prefix('/').unwrap_or(name);
        let mut components: Vec<_> = name.split('/').map(|component| component.as_bytes().to_vec()).collect();
        let is_simple = |component: &Vec<u8>| {
            let is_stars = component.windows(2).any(|window| window == b"**");
            let is_plain = !component.iter().any(|byte| b"[]{}\\".contains(byte));
            is_plain && !component.is_empty() && (!is_stars || component == b"**")
        };
        if !components.iter().all(is_simple) {
            return None;
        }
        if !from_root {
            components.insert(0, b"**".to_vec());
        }
        Some(Self { components, only_below })
    }

    fn matches(&self, key: &[u8]) -> bool {
        let key: Vec<_> = key.split(|byte| *byte == b'/').collect();
        // What it names is the key itself, or a directory above it.
        (1..=key.len()).any(|end| {
            let (named, below) = key.split_at(end);
            if below.is_empty() {
                !self.only_below && path(&self.components, named)
            } else {
                path(&self.components, named)
            }
        })
    }
}

/// Whether the components match those of a path; `**` is any number of them.
fn path(pattern: &[Vec<u8>], components: &[&[u8]]) -> bool {
    match pattern.split_first() {
        None => components.is_empty(),
        Some((first, rest)) if first == b"**" => {
            // At the end it means everything inside, and not the directory itself.
            let least = usize::from(rest.is_empty());
            (least..=components.len()).any(|skipped| path(rest, &components[skipped..]))
        }
        Some((first, rest)) => {
            components.split_first().is_some_and(|(component, below)| name(first, component) && path(rest, below))
        }
    }
}

/// Whether one component matches: `?` is any byte, `*` any number of them.
fn name(pattern: &[u8], text: &[u8]) -> bool {
    match (pattern.split_first(), text.split_first()) {
        (None, _) => text.is_empty(),
        (Some((b'*', rest)), _) => (0..=text.len()).any(|skipped| name(rest, &text[skipped..])),
        (Some((_, _)), None) => false,
        (Some((one, rest)), Some((byte, below))) => (*one == b'?' || one == byte) && name(rest, below),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn filter_patterns() {
        super::replay::replay("filters", super::filters);
    }
}
