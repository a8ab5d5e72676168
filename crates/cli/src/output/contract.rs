//! Holds `docs/formats/events.md` and the code together: every name that can
//! be written is in the document, and every one that it lists can be written.

use std::collections::BTreeSet;

const DOCUMENT: &str = include_str!("../../../../docs/formats/events.md");
/// Where what is written is declared.
const SOURCES: [&str; 12] = [
    include_str!("checking/event.rs"),
    include_str!("json.rs"),
    include_str!("json/summary.rs"),
    include_str!("explanation/event.rs"),
    include_str!("kept.rs"),
    include_str!("ledgers/event.rs"),
    include_str!("listing.rs"),
    include_str!("probe/event.rs"),
    include_str!("pruned/event.rs"),
    include_str!("tally.rs"),
    include_str!("uploads/event.rs"),
    include_str!("usage.rs"),
];

type Names = BTreeSet<String>;

/// The names of all types, fields and values that the sources declare: those
/// of serialised structs and enums, and those that a `match` gives.
fn declared() -> Names {
    let mut names = Names::new();
    for source in SOURCES {
        let source = source.split("#[cfg(test)]").next().unwrap_or_default();
        names.extend(source.lines().filter_map(value).map(str::to_owned));
        for item in source.split("#[derive(").skip(1).filter(|item| derives(item, "Serialize")) {
            let Some((head, body)) = item.split_once("{\n") else { continue };
            let indent = " ".repeat(head.lines().last().map_or(0, |line| line.len() - line.trim_start().len()));
            let body = body.split(&format!("\n{indent}}}")).next().unwrap_or_default();
            members(body, head.contains("untagged"), &mut names);
            let tag = head.split_once("tag = \"").and_then(|(_, tag)| tag.split('"').next());
            names.extend(tag.map(str::to_owned));
        }
    }
    names
}

fn derives(item: &str, what: &str) -> bool {
    item.split(')').next().is_some_and(|derived| derived.split(", ").any(|derived| derived == what))
}

/// The names of fields and variants; not those that only hold what is flattened into them.
fn members(body: &str, untagged: bool, names: &mut Names) {
    let mut flattened = false;
    for line in body.lines().map(|line| line.trim().trim_start_matches("pub(super) ")) {
        let is_variant = line.starts_with(|first: char| first.is_ascii_uppercase());
        if is_variant && !untagged {
            let name = line.split(|character: char| !character.is_ascii_alphanumeric()).next().unwrap_or_default();
            names.insert(snake_case(name));
        }
        let fields = if is_variant { line.split_once('{').map_or("", |(_, fields)| fields) } else { line };
        for field in fields.split(", ").filter(|_| !line.starts_with(['#', '/']) && !flattened) {
            names.extend(field.split_once(": ").map(|(name, _)| name.trim().to_owned()));
        }
        flattened = line.contains("flatten");
    }
}

fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    for character in name.chars() {
        if character.is_ascii_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.push(character.to_ascii_lowercase());
    }
    snake
}

/// The value that a line of a `match` gives: a name, no sentence.
fn value(line: &str) -> Option<&str> {
    let value = line.trim().split_once("=> \"")?.1.strip_suffix("\",")?;
    let is_name = value.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    (is_name && !value.is_empty()).then_some(value)
}

/// What stands between backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

#[test]
fn every_name_that_can_be_written_is_in_the_document() {
    let documented: Names = DOCUMENT.lines().flat_map(quoted).map(str::to_owned).collect();
    let missing: Vec<String> = declared().difference(&documented).cloned().collect();
    assert!(missing.is_empty(), "docs/formats/events.md says nothing of {missing:?}");
}

#[test]
fn every_name_that_the_document_lists_can_be_written() {
    let first_cells = DOCUMENT.lines().filter_map(|line| line.strip_prefix("| ")?.split(" | ").next());
    let types = DOCUMENT.lines().filter_map(|line| line.strip_prefix("### "));
    let listed: Names = first_cells.chain(types).flat_map(quoted).map(str::to_owned).collect();
    let unknown: Vec<String> = listed.difference(&declared()).cloned().collect();
    assert!(unknown.is_empty(), "docs/formats/events.md lists {unknown:?}, which nothing writes");
    assert!(listed.len() > 80, "the tables of docs/formats/events.md were not understood: {listed:?}");
}
