//! Whether listings come in the order of bytes, with each key exactly once.

use super::scratch::{Halt, Scratch, Tried};
use super::trial::{Outcome, Subject, Trial, Try, Verdict};
use crate::bucket::Bucket;
use crate::error::{Error, ErrorKind};
use crate::operations::{Continuation, ListObjectsV2};

/// Keys that other orders than that of bytes put elsewhere: without case,
/// directory by directory (`d/x` before `d-b`), by a language's rules, and by UTF-16, in
/// which what is beyond U+FFFF comes before U+FF21. In the order of bytes. None is
/// the name of a directory of others: some stores have no such key.
const NAMES: [&str; 12] = ["B", "a", "b", "d b", "d-b", "d/x", "d/y", "d0", "z", "\u{e9}", "\u{ff21}", "\u{1f600}"];

/// How often everything is listed.
const ROUNDS: usize = 2;

/// Lists a page of what is there. It can disprove the order, and never prove it.
pub async fn page(bucket: &Bucket, prefix: &str) -> Trial {
    let page = bucket.list_objects_v2(ListObjectsV2 { prefix, ..ListObjectsV2::default() }).await;
    let (verdict, reason) = match page.map(|page| page.objects) {
        Err(error) => (Verdict::Unknown, error.reason()),
        Ok(objects) => objects.windows(2).find(|pair| pair[0].key >= pair[1].key).map_or_else(
            || {
                let keys = objects.len();
                (Verdict::Unknown, format!("a page of {keys} keys came in order, which proves nothing"))
            },
            |pair| (Verdict::No, format!("{:?} was listed after {:?}", pair[1].key, pair[0].key)),
        ),
    };
    Trial { subject: Subject::Order, verdict, reason }
}

/// The keys that are listed.
#[derive(Default)]
struct Keys {
    /// What all of them begin with.
    prefix: String,
    /// Those that are there, in the order of bytes.
    written: Vec<String>,
    /// Those that may be there: writing them failed.
    doubtful: Vec<String>,
}

/// Writes keys, and lists them whole, in pages, and from after each of them and what is between them.
pub(super) async fn written(scratch: &Scratch<'_>, tries: &mut Vec<Try>) -> Tried {
    let mut keys = Keys { prefix: format!("{}order/", scratch.prefix()), ..Keys::default() };
    for name in NAMES {
        match scratch.put(&format!("order/{name}"), name).await {
            Ok((key, _)) => keys.written.push(key),
            // The others may still be out of order.
            Err(Halt::Failed(error)) if may_be_about_the_key(&error) => {
                tries.push(Try::of(format!("writing {name:?}"), Outcome::Undecided(error.reason())));
                keys.doubtful.push(format!("{}{name}", keys.prefix));
            }
            Err(halt) => return Err(halt),
        }
    }
    for _ in 0..ROUNDS {
        tries.push(Try::of("the whole listing", compared(scratch, &keys, None, None).await?));
        tries.push(Try::of("a listing in pages of 2 keys", compared(scratch, &keys, None, Some(2)).await?));
        for key in &keys.written {
            let outcome = compared(scratch, &keys, Some(key), Some(2)).await?;
            tries.push(Try::of(format!("a listing from after {:?}", keys.shown(key)), outcome));
            // Where nothing is: some stores leave out the one that follows
            // (https://github.com/minio/minio/issues/21463).
            let missing = format!("{key}!");
            let outcome = compared(scratch, &keys, Some(&missing), Some(2)).await?;
            let what = format!("a listing from after {:?}, which is not there", keys.shown(&missing));
            tries.push(Try::of(what, outcome));
        }
    }
    Ok(())
}

fn may_be_about_the_key(error: &Error) -> bool {
    !matches!(
        error.kind(),
        ErrorKind::AccessDenied | ErrorKind::Credentials | ErrorKind::Unreachable | ErrorKind::Abandoned
    )
}

/// Lists the keys, and compares them. From after a key, only the first ones.
async fn compared(
    scratch: &Scratch<'_>,
    keys: &Keys,
    start_after: Option<&str>,
    max_keys: Option<u32>,
) -> Result<Outcome, Halt> {
    let mut continuation = Continuation::default();
    let mut listed = Vec::new();
    loop {
        scratch.go_on()?;
        let continuation_token = continuation.token();
        let page = ListObjectsV2 { prefix: &keys.prefix, continuation_token, start_after, max_keys, delimiter: None };
        let page = match scratch.tried.list_objects_v2(page).await {
            Ok(page) => page,
            Err(error) => return Ok(Outcome::of_error(&error)),
        };
        let goes_on = continuation.advance(&page);
        listed.extend(page.objects.into_iter().map(|object| object.key));
        // A page may be empty, and another one follow.
        let is_enough = start_after.is_some() && !listed.is_empty();
        match goes_on {
            Ok(true) if !is_enough => {}
            Ok(goes_on) => return Ok(keys.compare(&listed, start_after, !goes_on)),
            Err(endless) => return Ok(Outcome::Wrong(endless.to_string())),
        }
    }
}

impl Keys {
    /// Whether the listing is as expected, or its beginning where more follows.
    fn compare(&self, listed: &[String], after: Option<&str>, is_whole: bool) -> Outcome {
        let certain: Vec<&String> = listed.iter().filter(|key| !self.doubtful.contains(key)).collect();
        let expected: Vec<&String> =
            self.written.iter().filter(|key| after.is_none_or(|after| key.as_str() > after)).collect();
        let place = certain.iter().zip(&expected).position(|(listed, expected)| listed != expected);
        let length = if is_whole { expected.len() } else { certain.len().min(expected.len()) };
        match place.unwrap_or_else(|| certain.len().min(length)) {
            place if place == certain.len() && place == length => Outcome::Right,
            place => {
                let [listed, expected] = [certain, expected]
                    .map(|keys| keys.get(place).map_or("nothing".to_owned(), |key| format!("{:?}", self.shown(key))));
                Outcome::Wrong(format!("{listed} came where {expected} should have"))
            }
        }
    }

    fn shown<'k>(&self, key: &'k str) -> &'k str {
        key.strip_prefix(&self.prefix).unwrap_or(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_are_in_order_and_tell_other_orders() {
        assert!(NAMES.is_sorted());
        assert!(!NAMES.is_sorted_by_key(|name| name.to_lowercase()));
        assert!(!NAMES.is_sorted_by_key(|name| name.encode_utf16().collect::<Vec<_>>()));
        assert!(!NAMES.is_sorted_by_key(|name| name.replace('/', "\0")));
    }

    #[test]
    fn no_name_is_that_of_a_directory() {
        for name in NAMES {
            let below = format!("{name}/");
            assert!(!NAMES.iter().any(|other| other.starts_with(&below)), "{name}");
        }
    }

    #[test]
    fn a_listing_is_compared_key_by_key() {
        let named = |names: &str| names.chars().map(|name| format!("p/{name}")).collect::<Vec<_>>();
        let keys = Keys { prefix: "p/".to_owned(), written: named("abc"), doubtful: named("x") };
        let table = [
            ("abc", None, true, "Right"),
            ("axbc", None, true, "Right"),
            ("", Some("p/c"), true, "Right"),
            ("bc", Some("p/a"), true, "Right"),
            ("ab", None, false, "Right"),
            ("ab", None, true, "nothing came where \"c\" should have"),
            ("acb", None, true, "\"c\" came where \"b\" should have"),
            ("axcb", None, true, "\"c\" came where \"b\" should have"),
            ("bc", None, false, "\"b\" came where \"a\" should have"),
            ("abcc", None, true, "\"c\" came where nothing should have"),
            ("abcc", None, false, "\"c\" came where nothing should have"),
            ("c", Some("p/a"), false, "\"c\" came where \"b\" should have"),
        ];
        for (listed, after, is_whole, expected) in table {
            let found = match keys.compare(&named(listed), after, is_whole) {
                Outcome::Wrong(reason) => reason,
                other => format!("{other:?}"),
            };
            assert_eq!(found, expected, "{listed} {after:?}");
        }
    }
}
