//! What may have been meant by a name that there isn't.

/// The name that differs least, if it differs by so little that it may have been mistyped.
pub(super) fn nearest<'a>(written: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let allowed = (written.chars().count() / 3).clamp(1, 3);
    let distances = names.map(|name| (distance(written, name), name));
    distances.filter(|(distance, _)| *distance <= allowed).min().map(|(_, name)| name)
}

/// How many letters must be added, taken away, replaced, or swapped with their neighbour.
fn distance(one: &str, other: &str) -> usize {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    let mut rows = vec![(0..=other.len()).collect::<Vec<usize>>()];
    for row in 1..=one.len() {
        let mut next = vec![row];
        for column in 1..=other.len() {
            let is_same = one[row - 1] == other[column - 1];
            let replaced = rows[row - 1][column - 1] + usize::from(!is_same);
            let mut least = replaced.min(rows[row - 1][column] + 1).min(next[column - 1] + 1);
            if row > 1 && column > 1 && one[row - 1] == other[column - 2] && one[row - 2] == other[column - 1] {
                least = least.min(rows[row - 2][column - 2] + 1);
            }
            next.push(least);
        }
        rows.push(next);
    }
    rows[one.len()][other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_mistyped_is_recognised_and_what_is_another_word_is_not() {
        let names = ["endpoint-url", "region", "profile", "nas"];
        let table = [
            ("endpoint_url", Some("endpoint-url")),
            ("endpointurl", Some("endpoint-url")),
            ("regoin", Some("region")),
            ("nsa", Some("nas")),
            ("profil", Some("profile")),
            ("bucket", None),
            ("", None),
        ];
        for (written, expected) in table {
            assert_eq!(nearest(written, names.into_iter()), expected, "{written}");
        }
    }
}
