//! Folding: keeps the log readable where thousands fail for one reason. The
//! first few of a reason are named, the others counted.

use std::collections::HashMap;

use super::figures::{count, counted};

/// How many of a reason are named.
pub(super) const NAMED: u64 = 20;
/// How many reasons are told apart; all others count as one.
const REASONS: usize = 32;
/// How many reasons the end tells of.
const TOLD: usize = 10;
/// Bytes of a reason that tell it from others.
const SHAPE: usize = 400;

/// What failed so far, by reason. Its size doesn't grow with what failed.
#[derive(Debug, Default)]
pub(super) struct Folding {
    /// By the reason's shape; the empty one is all others'.
    reasons: HashMap<String, Reason>,
}

#[derive(Debug)]
struct Reason {
    /// As it was given first.
    first: String,
    count: u64,
}

/// What is to be said of something that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// All of it.
    Named,
    /// That more of the same follow, and are counted.
    MoreFollow,
    /// Nothing.
    Counted,
}

impl Folding {
    /// Counts something that failed for this reason.
    pub(super) fn count(&mut self, reason: &str) -> Said {
        let shape = shape(reason);
        let is_known = self.reasons.contains_key(&shape);
        let known = if is_known || self.reasons.len() < REASONS {
            self.reasons.entry(shape).or_insert_with(|| Reason { first: reason.to_owned(), count: 0 })
        } else {
            let first = "other reasons".to_owned();
            self.reasons.entry(String::new()).or_insert_with(|| Reason { first, count: 0 })
        };
        known.count += 1;
        match known.count {
            ..=NAMED => Said::Named,
            count if count == NAMED + 1 => Said::MoreFollow,
            _ => Said::Counted,
        }
    }

    /// Whether anything was not named.
    pub(super) fn has_folded(&self) -> bool {
        self.reasons.values().any(|reason| reason.count > NAMED)
    }

    /// How many failed for each reason, the most frequent first.
    pub(super) fn by_reason(&self) -> Vec<String> {
        let mut reasons: Vec<&Reason> = self.reasons.values().collect();
        reasons.sort_by(|one, other| other.count.cmp(&one.count).then_with(|| one.first.cmp(&other.first)));
        let rest: u64 = reasons.iter().skip(TOLD).map(|reason| reason.count).sum();
        let told = reasons.iter().take(TOLD);
        let mut lines: Vec<String> =
            told.map(|reason| format!("{} failed: {}", count(reason.count), reason.first)).collect();
        if rest > 0 {
            let others = counted(reasons.len().saturating_sub(TOLD) as u64, "other reason");
            lines.push(format!("{} failed for {others}", count(rest)));
        }
        lines
    }
}

/// What reasons of one kind have in common: words with a digit in them, such as
/// keys, sizes and the ids of requests, differ from one to the next; short
/// numbers, such as a status, tell reasons apart.
fn shape(reason: &str) -> String {
    let is_status = |word: &str| word.len() <= 3 && word.bytes().all(|byte| byte.is_ascii_digit());
    let mut shape = String::new();
    for word in reason.split_whitespace() {
        let bare = word.trim_matches(|character: char| !character.is_alphanumeric());
        let varies = bare.bytes().any(|byte| byte.is_ascii_digit()) && !is_status(bare);
        shape.push_str(if varies { "#" } else { word });
        shape.push(' ');
        if shape.len() >= SHAPE {
            break;
        }
    }
    shape.truncate(shape.floor_char_boundary(SHAPE));
    shape
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_a_reason_are_named_and_the_others_counted() {
        let mut folding = Folding::default();
        for number in 0..10_000 {
            let said = folding.count(&format!("AccessDenied, request 4F{number:06X}: no (HTTP 403)"));
            let expected = match number {
                0..20 => Said::Named,
                20 => Said::MoreFollow,
                _ => Said::Counted,
            };
            assert_eq!(said, expected, "{number}");
            assert_eq!(folding.has_folded(), number >= 20);
        }
        assert_eq!(folding.count("SlowDown, request 1: no (HTTP 503)"), Said::Named);
        let by_reason = [
            "10,000 failed: AccessDenied, request 4F000000: no (HTTP 403)",
            "1 failed: SlowDown, request 1: no (HTTP 503)",
        ];
        assert_eq!(folding.by_reason(), by_reason);
    }

    #[test]
    fn however_much_reasons_differ_they_take_no_more_room_and_no_more_lines() {
        let mut folding = Folding::default();
        let letters = |number: u32| number.to_string().bytes().map(|digit| char::from(digit + 49)).collect::<String>();
        let mut named = 0;
        for number in 0..10_000 {
            let reason = format!("{} {}", letters(number), "x".repeat(10_000));
            named += u64::from(folding.count(&reason) == Said::Named);
        }
        assert_eq!(folding.reasons.len(), REASONS + 1);
        assert!(folding.reasons.keys().all(|shape| shape.len() <= SHAPE));
        assert_eq!(named, REASONS as u64 + NAMED);
        assert_eq!(folding.by_reason().len(), TOLD + 1);
        assert_eq!(folding.by_reason()[0], "9,968 failed: other reasons");
        assert_eq!(folding.by_reason()[TOLD], "23 failed for 23 other reasons");
    }
}
