//! Whether listings come in the order of bytes, with each key exactly once.

use super::scratch::{Scratch, Tried};
use super::trial::{Outcome, Subject, Trial, Try, Verdict};
use crate::bucket::Bucket;
use crate::error::{Error, ErrorKind};
use crate::operations::{Continuation, ListObjectsV2};

/// Keys that other orders than that of bytes put elsewhere: without case,
/// directory by directory (`a/x` before `a-b`), by a language's rules, and by UTF-16, in
/// which what is beyond U+FFFF comes before U+FF21. In the order of bytes.
const NAMES: [&str; 12] = ["B", "a", "a b", "a-b", "a/x", "a/y", "a0", "b", "z", "\u{e9}", "\u{ff21}", "\u{1f600}"];

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

/// Writes keys, and lists them whole, in pages, and from after each of them and what is between them.
pub(super) async fn written(scratch: &Scratch<'_>, tries: &mut Vec<Try>) -> Tried {
    let mut keys = Vec::new();
    for name in NAMES {
        match scratch.put(&format!("order/{name}"), name).await {
            Ok((key, _)) => keys.push(key),
            // Some stores have no key beside another one that it begins with and a `/`.
            Err(super::Halt::Failed(error)) if !keys.is_empty() && is_about_the_key(&error) => {}
            Err(halt) => return Err(halt),
        }
    }
    let prefix = format!("{}order/", scratch.prefix());
    for _ in 0..ROUNDS {
        tries.push(Try::of("the whole listing", whole(scratch, &prefix, &keys, None).await?));
        tries.push(Try::of("a listing in pages of 2 keys", whole(scratch, &prefix, &keys, Some(2)).await?));
        for key in &keys {
            let outcome = after(scratch, &prefix, &keys, key).await?;
            tries.push(Try::of(format!("a listing from after {:?}", shown(&prefix, key)), outcome));
            // Where nothing is: some stores leave out the one that follows (https://github.com/minio/minio/issues/21463).
            let missing = format!("{key}!");
            let outcome = after(scratch, &prefix, &keys, &missing).await?;
            let what = format!("a listing from after {:?}, which is not there", shown(&prefix, &missing));
            tries.push(Try::of(what, outcome));
        }
    }
    Ok(())
}

fn is_about_the_key(error: &Error) -> bool {
    !matches!(
        error.kind(),
        ErrorKind::AccessDenied | ErrorKind::Credentials | ErrorKind::Unreachable | ErrorKind::Abandoned
    )
}

async fn whole(
    scratch: &Scratch<'_>,
    prefix: &str,
    keys: &[String],
    max_keys: Option<u32>,
) -> Result<Outcome, super::Halt> {
    let mut continuation = Continuation::default();
    let mut listed = Vec::new();
    loop {
        scratch.go_on()?;
        let continuation_token = continuation.token();
        let page = ListObjectsV2 { prefix, continuation_token, max_keys, ..ListObjectsV2::default() };
        let page = match scratch.tried.list_objects_v2(page).await {
            Ok(page) => page,
            Err(error) => return Ok(Outcome::of_error(&error)),
        };
        let goes_on = continuation.advance(&page);
        listed.extend(page.objects.into_iter().map(|object| object.key));
        match goes_on {
            Ok(true) => {}
            Ok(false) => return Ok(compare(prefix, &listed, keys, true)),
            Err(endless) => return Ok(Outcome::Wrong(endless.to_string())),
        }
    }
}

async fn after(scratch: &Scratch<'_>, prefix: &str, keys: &[String], after: &str) -> Result<Outcome, super::Halt> {
    scratch.go_on()?;
    let page = ListObjectsV2 { prefix, start_after: Some(after), max_keys: Some(2), ..ListObjectsV2::default() };
    let page = match scratch.tried.list_objects_v2(page).await {
        Ok(page) => page,
        Err(error) => return Ok(Outcome::of_error(&error)),
    };
    let listed: Vec<String> = page.objects.into_iter().map(|object| object.key).collect();
    let expected: Vec<String> = keys.iter().filter(|key| key.as_str() > after).cloned().collect();
    let is_whole = page.next.is_none();
    Ok(compare(prefix, &listed, &expected, is_whole))
}

/// Whether the listing is as expected, or its beginning where more follows.
fn compare(prefix: &str, listed: &[String], expected: &[String], is_whole: bool) -> Outcome {
    let place = listed.iter().zip(expected).position(|(listed, expected)| listed != expected);
    let length = if is_whole { expected.len() } else { listed.len().min(expected.len()) };
    match place.unwrap_or_else(|| listed.len().min(length)) {
        place if place == listed.len() && place == length => Outcome::Right,
        place => {
            let [listed, expected] = [listed, expected]
                .map(|keys| keys.get(place).map_or("nothing".to_owned(), |key| format!("{:?}", shown(prefix, key))));
            Outcome::Wrong(format!("{listed} came where {expected} should have"))
        }
    }
}

fn shown<'k>(prefix: &str, key: &'k str) -> &'k str {
    key.strip_prefix(prefix).unwrap_or(key)
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
    fn a_listing_is_compared_key_by_key() {
        let keys = |names: &str| names.chars().map(|name| format!("p/{name}")).collect::<Vec<_>>();
        let compared =
            |listed: &str, expected: &str, is_whole| match compare("p/", &keys(listed), &keys(expected), is_whole) {
                Outcome::Wrong(reason) => reason,
                other => format!("{other:?}"),
            };
        assert_eq!(compared("abc", "abc", true), "Right");
        assert_eq!(compared("", "", true), "Right");
        assert_eq!(compared("ab", "abc", false), "Right");
        assert_eq!(compared("ab", "abc", true), "nothing came where \"c\" should have");
        assert_eq!(compared("acb", "abc", true), "\"c\" came where \"b\" should have");
        assert_eq!(compared("bc", "abc", false), "\"b\" came where \"a\" should have");
        assert_eq!(compared("abcc", "abc", true), "\"c\" came where nothing should have");
        assert_eq!(compared("abcc", "abc", false), "\"c\" came where nothing should have");
    }
}
