//! Where to cut a range in two: found by asking the store which key comes next
//! after made-up ones, whatever letters the keys are made of.
//!
//! Nobody knows how many keys lie where. So the cut goes about through the
//! middle of what the next letter can be, in the first place where keys that are
//! still to come differ; who cuts wrong cuts again.

use brigade_store::{Key, Store};

use super::proof::first_after;
use crate::listing::Broken;

/// The greatest character there is; as S3 orders keys, by their UTF-8, nothing comes after it.
const GREATEST: char = char::MAX;

/// A place to cut at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cut {
    /// A key that is there: the last one of the lower range.
    pub(crate) at: Key,
    /// After this there was nothing more: where to look when the upper range is cut.
    pub(crate) nothing_after: Option<Key>,
}

/// Looks for a place to cut what lies between the last key that was read and the
/// end of the range, or what is known to be empty. `None` where there is none
/// worth looking for, and for keys that aren't text.
pub(crate) async fn find(store: &dyn Store, read: &Key, end: Option<&Key>) -> Result<Option<Cut>, Broken> {
    let (Some(low), Some(high)) = (read.as_text(), end.map_or(Some(""), Key::as_text)) else { return Ok(None) };
    let mut search = Search { store, low, high: end.map(|_| high.to_owned()) };
    // Where the end is known, the middle is often enough right.
    for _ in 0..2 {
        let Some(middle) = search.high.as_ref().and_then(|high| between(low, high)) else { break };
        if let Some(at) = search.ask(middle).await? {
            return Ok(Some(search.cut(at)));
        }
    }
    let Some((depth, first)) = search.divergence().await? else { return Ok(None) };
    let at = search.bisect(depth, &first).await?.unwrap_or(first);
    Ok(Some(search.cut(at)))
}

struct Search<'a> {
    store: &'a dyn Store,
    low: &'a str,
    /// Nothing of use is here or after; `None` while nobody knows.
    high: Option<String>,
}

impl Search<'_> {
    fn cut(self, at: Key) -> Cut {
        Cut { at, nothing_after: self.high.map(Key::from) }
    }

    /// The first key after this one, if it comes before what is known to be of no use: otherwise, neither is this.
    async fn ask(&mut self, after: String) -> Result<Option<Key>, Broken> {
        let found = self.look(&after).await?;
        if found.is_none() {
            self.high = Some(after);
        }
        Ok(found)
    }

    async fn look(&self, after: &str) -> Result<Option<Key>, Broken> {
        let mut next = first_after(self.store, &Key::from(after)).await?;
        // What a marker stands for is better not parted from what is in it; but a bucket may be full of them.
        if let Some(marker) = next.take_if(|next| next.is_marker()) {
            next = first_after(self.store, &marker).await?;
        }
        Ok(next.filter(|next| self.high.as_ref().is_none_or(|high| next.as_bytes() < high.as_bytes())))
    }

    /// How many first characters the last key that was read shares with all
    /// that come after it but for those below the next: and the first key that
    /// doesn't share one more.
    async fn divergence(&mut self) -> Result<Option<(usize, Key)>, Broken> {
        let length = self.low.chars().count();
        let shared = self.high.as_ref().map_or(0, |high| common(self.low, high));
        let (mut least, mut most) = (shared + 1, length);
        let mut found = None;
        while least <= most {
            let middle = usize::midpoint(least, most);
            let after: String = self.low.chars().take(middle).chain([GREATEST]).collect();
            match self.look(&after).await? {
                Some(key) => {
                    found = Some((middle - 1, key));
                    most = middle - 1;
                }
                None => least = middle + 1,
            }
        }
        Ok(found)
    }

    /// A key about in the middle of those that share so many characters and no
    /// more with the last one that was read; the first of them is known.
    async fn bisect(&mut self, depth: usize, first: &Key) -> Result<Option<Key>, Broken> {
        let shared: String = self.low.chars().take(depth).collect();
        let Some(least) = first.as_text().and_then(|text| text.chars().nth(depth)) else { return Ok(None) };
        let within = self.high.as_ref().filter(|high| high.starts_with(&shared));
        let mut most = within.and_then(|high| high.chars().nth(depth)).unwrap_or_else(|| end_of_kind(least));
        while let Some(middle) = middle(least, most) {
            if let Some(key) = self.ask(format!("{shared}{middle}")).await? {
                return Ok(Some(key));
            }
            most = middle;
        }
        Ok(None)
    }
}

fn common(one: &str, other: &str) -> usize {
    one.chars().zip(other.chars()).take_while(|(one, other)| one == other).count()
}

/// Text between the two: nearer to the middle than to either, if letters are
/// even. `None` where there is hardly any.
fn between(low: &str, high: &str) -> Option<String> {
    let shared = common(low, high);
    let mut text: String = low.chars().take(shared).collect();
    let mut rest = low.chars().skip(shared);
    let mut most = high.chars().nth(shared)?;
    loop {
        let next = rest.next();
        if let Some(middle) = middle(next.unwrap_or(' '), most) {
            text.push(middle);
            break;
        }
        // Right next to each other: the middle lies among what begins as the lower one does.
        text.push(next?);
        most = rest.clone().next().map_or('~', end_of_kind);
    }
    (low < text.as_str() && text.as_str() < high).then_some(text)
}

/// A character between the two, if there is one.
fn middle(least: char, most: char) -> Option<char> {
    let (least, most) = (u32::from(least), u32::from(most));
    // Not every number is a character: the surrogates are none.
    (least + 1..=u32::midpoint(least, most.max(least)))
        .rev()
        .find_map(char::from_u32)
        .filter(|&found| u32::from(found) < most)
}

/// Where the characters end that are likely to stand where this one does.
fn end_of_kind(character: char) -> char {
    match character {
        ..'0' => '0',
        '0'..='9' => ':',
        ':'..='Z' => '[',
        '['..='z' => '{',
        '{'..='~' => '\u{7f}',
        _ => GREATEST,
    }
}

#[cfg(test)]
mod tests {
    use brigade_store::memory::MemoryStore;
    use proptest::prelude::*;

    use super::*;

    fn store<K: Into<Key>>(keys: impl IntoIterator<Item = K>) -> MemoryStore {
        let store = MemoryStore::remote();
        for key in keys {
            store.put(key, "");
        }
        store
    }

    fn find(store: &MemoryStore, read: &Key, end: Option<&Key>) -> (Option<Cut>, usize) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let before = store.calls().len();
        let cut = runtime.block_on(super::find(store, read, end)).unwrap();
        (cut, store.calls().len() - before)
    }

    #[test]
    fn numbers_are_cut_about_in_the_middle_with_few_questions() {
        let name = |number: u32| format!("a/deep/directory/file-{number:07}.html");
        let store = store((0..10_000).map(|number| name(number * 100)));
        let (read, middle, last) = (name(1000).into(), name(500_000).into(), name(999_900).into());
        let table = [
            ("the end is not known", &read, None, 250_000..750_000, 10),
            ("it is", &read, Some(&middle), 100_000..400_000, 1),
            ("the last key", &read, Some(&last), 250_000..750_000, 1),
            ("the upper half", &middle, Some(&last), 600_000..900_000, 1),
        ];
        for (row, read, end, within, most) in table {
            let (cut, asked) = find(&store, read, end);
            let at = cut.unwrap().at.to_string();
            let number: u32 = at[at.len() - 12..at.len() - 5].parse().unwrap();
            assert!(within.contains(&number) && asked <= most, "{row}: {at} after {asked} questions");
        }
    }

    #[test]
    fn an_upper_half_knows_where_nothing_is() {
        let store = store((0..300).map(|number| format!("{number:03}")));
        let (cut, _) = find(&store, &"003".into(), None);
        let Cut { at, nothing_after } = cut.unwrap();
        let end = nothing_after.unwrap();
        assert!(at < end && end > Key::from("299"), "{at} {end}");
        let (cut, asked) = find(&store, &at, Some(&end));
        assert!(cut.is_some() && asked <= 2, "{asked}");
    }

    #[test]
    fn where_nothing_is_left_there_is_no_cut() {
        let store = store(["a", "b", "b/c"]);
        for (read, end) in [("b", None), ("a", Some("b")), ("z", None)] {
            assert_eq!(find(&store, &read.into(), end.map(Key::from).as_ref()).0, None, "{read}");
        }
        assert_eq!(find(&store, &Key::new(&b"a\xff"[..]), None).0, None, "no text");
    }

    #[test]
    fn a_bucket_of_markers_is_cut_with_few_questions_too() {
        let store = store((0..500).map(|number| format!("{number:03}/")));
        let (cut, asked) = find(&store, &"003/".into(), None);
        assert!(cut.is_some() && asked <= 20, "{asked}");
    }

    #[test]
    fn a_stale_end_leads_nowhere_wrong() {
        let store = store(["a", "b", "c"]);
        assert_eq!(find(&store, &"b".into(), Some(&"a".into())).0, None);
    }

    proptest! {
        /// Letters of few and of many bytes, of runs of one, and of common beginnings.
        #[test]
        fn a_cut_lies_between_with_keys_on_both_sides(
            keys in proptest::collection::btree_set("(deep/and/deeper/){0,2}[a0é中\u{ff00}]{1,6}", 1..60),
            read: prop::sample::Index,
            end: Option<prop::sample::Index>,
        ) {
            let keys: Vec<Key> = keys.into_iter().map(Key::from).collect();
            let store = store(keys.clone());
            let read = &keys[read.index(keys.len())];
            let end = end.map(|end| &keys[end.index(keys.len())]).filter(|end| *end > read);
            let (cut, asked) = find(&store, read, end);
            prop_assert!(asked <= 60, "{asked}");
            let is_between = |key: &&Key| *key > read && end.is_none_or(|end| *key < end);
            match cut {
                Some(cut) => prop_assert!(keys.iter().filter(is_between).any(|key| *key == cut.at)),
                None => prop_assert!(
                    keys.iter().filter(is_between).all(|key| key.as_bytes().starts_with(read.as_bytes())),
                    "there is {keys:?} after {read}, before {end:?}"
                ),
            }
        }
    }
}
