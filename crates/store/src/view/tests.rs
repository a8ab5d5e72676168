use super::*;
use crate::memory::{MemoryOptions, MemoryStore};
use crate::{Condition, KeptContent, KeptVersion, ObjectHeaders, UnknownReason};

fn moment(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

/// A version that says in its size which it is; without one, a delete marker.
fn version(key: &str, id: &str, written: u64, size: Option<u64>) -> KeptVersion {
    let content = size.map(|size| KeptContent { size, etag: format!("e{id}"), storage_class: None });
    KeptVersion {
        key: key.into(),
        id: VersionId::from(id),
        modified: moment(written),
        is_current: false,
        is_placed: true,
        is_cut_off: false,
        content,
    }
}

/// A bucket that keeps these, and lists so many in a page.
fn bucket(page_size: usize) -> MemoryStore {
    let options = MemoryOptions { versioning: Versioning::Enabled, page_size, ..MemoryOptions::remote() };
    let store = MemoryStore::new(options);
    let kept = [
        version("", "v1", 10, Some(0)),
        version(".brigade-0123456789abcdef", "v1", 10, Some(1)),
        version("a", "v3", 30, Some(3)),
        version("a", "v2", 20, Some(2)),
        version("a", "v1", 10, Some(1)),
        version("b", "m2", 30, None),
        version("b", "v1", 10, Some(1)),
        version("c", "v1", 10, Some(1)),
        version("d", "null", 40, Some(1)),
    ];
    let mut above = None;
    for version in kept {
        let is_current = above.replace(version.key.clone()).as_ref() != Some(&version.key);
        store.add_version(KeptVersion { is_current, ..version });
    }
    store
}

async fn view(store: &MemoryStore, wanted: Wanted) -> Result<View, ViewError> {
    View::open(Arc::new(store.clone()), wanted, moment(100)).await
}

fn at(seconds: u64) -> Wanted {
    Wanted { at: Some(Moment::At(moment(seconds))), ..Wanted::default() }
}

/// Key and version, or the reason why that can't be told.
async fn listed(store: &dyn Store, range: &KeyRange) -> Vec<String> {
    let mut listing = store.list(range);
    let mut shown = Vec::new();
    while let Some(page) = listing.next_page().await.unwrap() {
        assert!(!page.is_empty());
        shown.extend(page.into_iter().map(|listed| match listed {
            Listed::Present(entry) => format!("{} {}", entry.key, entry.version_id().unwrap_or("-")),
            Listed::Unknown(unknown) => format!("{} {:?}", unknown.key, unknown.reason),
        }));
    }
    shown
}

#[tokio::test]
async fn a_bucket_is_listed_and_looked_at_as_it_was() {
    for page_size in [1, 2, 1000] {
        let store = bucket(page_size);
        let view = view(&store, at(25)).await.unwrap();
        assert_eq!(listed(&view, &KeyRange::everything()).await, ["a v2", "b v1", "c v1", "d NotKept"]);
        let range = KeyRange { after: Some("a".into()), through: Some("b".into()) };
        assert_eq!(listed(&view, &range).await, ["b v1"]);
        assert_eq!(listed(&view, &KeyRange::around(&"c".into())).await, ["c v1"]);
        assert_eq!(view.first_after(&"a".into()).await.unwrap(), Some("b".into()));
        let a = view.look(&"a".into()).await.unwrap().unwrap();
        assert_eq!((a.size, a.version_id()), (2, Some("v2")));
        assert_eq!(view.look(&"e".into()).await.unwrap(), None);
        assert!(view.look(&"d".into()).await.unwrap_err().reason.contains("kept no versions"));
    }
    let later = view(&bucket(2), at(30)).await.unwrap();
    assert_eq!(later.look(&"b".into()).await.unwrap(), None, "it was deleted by then");
}

#[tokio::test]
async fn chosen_versions_take_the_place_of_what_is_there() {
    let store = bucket(2);
    for key in ["a", "aa", "c"] {
        store.put(key, "now");
    }
    let versions = vec![("b".into(), VersionId::from("v1")), ("a".into(), VersionId::from("v2"))];
    let now = view(&store, Wanted { versions: versions.clone(), ..Wanted::default() }).await.unwrap();
    assert_eq!(listed(&now, &KeyRange::everything()).await, ["a v2", "aa -", "b v1", "c -"]);
    assert_eq!(listed(&now, &KeyRange { after: Some("aa".into()), through: Some("b".into()) }).await, ["b v1"]);
    assert_eq!(now.look(&"a".into()).await.unwrap().unwrap().version_id(), Some("v2"));
    assert_eq!(now.look(&"c".into()).await.unwrap().unwrap().version_id(), None);
    let then = view(&store, Wanted { versions, ..at(35) }).await.unwrap();
    assert_eq!(listed(&then, &KeyRange::everything()).await, ["a v2", "b v1", "c v1", "d NotKept"]);
}

#[tokio::test]
async fn what_cannot_be_seen_is_said_before_anything_is_listed() {
    let store = bucket(2);
    let chosen = |key: &str, id: &str| Wanted { versions: vec![(key.into(), id.into())], ..Wanted::default() };
    let table = [
        (at(101), "lies in the future"),
        (chosen("a", "v9"), "a has no version v9"),
        (chosen("e", "v1"), "e has no version v1"),
        (chosen("b", "m2"), "version m2 of b is a delete marker"),
    ];
    for (wanted, part) in table {
        let error = view(&store, wanted).await.err().unwrap().to_string();
        assert!(error.contains(part), "{error}");
    }
    let never = MemoryStore::remote();
    let error = view(&never, at(1)).await.err().unwrap().to_string();
    assert!(error.contains("memory://bucket keeps no versions, and never did"), "{error}");
    assert!(view(&never, Wanted::default()).await.is_ok(), "as it is now, nothing has to be kept");
}

/// That it says nothing may be for lack of a permission: what it lost while it kept nothing must not be lost elsewhere
/// too.
#[tokio::test]
async fn what_may_have_left_no_trace_is_not_taken_for_absent_where_that_deletes() {
    let store = bucket(2);
    store.set_versioning(Versioning::Unsaid);
    let error = view(&store, Wanted { deletes: true, ..at(25) }).await.err().unwrap().to_string();
    assert!(
        error.contains("does not say whether it keeps versions") && error.contains("leave --delete out"),
        "{error}"
    );
    assert!(view(&store, at(25)).await.is_ok());
    assert!(view(&store, Wanted { deletes: true, ..Wanted::default() }).await.is_ok(), "as it is now");
}

/// It is what somebody wants back: not an object that was deleted while a listing was at work.
#[tokio::test]
async fn a_version_that_is_gone_is_a_failure() {
    let store = bucket(2);
    let gone = |view: View, key: &'static str| async move {
        let entry = version(key, "v1", 10, Some(1)).entry().unwrap();
        let kinds = [
            view.read(&entry).await.err().map(|failure| failure.kind),
            view.open(&entry).await.err().map(|failure| failure.kind),
            view.digests(&entry, &[DigestKind::Md5]).await.err().map(|failure| failure.kind),
        ];
        kinds.map(Option::unwrap)
    };
    assert_eq!(gone(view(&store, at(25)).await.unwrap(), "c").await, [FailureKind::Failed; 3]);
    let chosen = Wanted { versions: vec![("a".into(), "v1".into())], ..Wanted::default() };
    assert_eq!(gone(view(&store, chosen.clone()).await.unwrap(), "a").await, [FailureKind::Failed; 3]);
    assert_eq!(gone(view(&store, chosen).await.unwrap(), "c").await, [FailureKind::Absent; 3], "that was not chosen");
}

#[tokio::test]
async fn a_moment_ago_is_told_by_the_stores_clock() {
    let ago = |seconds| Wanted { at: Some(Moment::Ago(Duration::from_secs(seconds))), ..Wanted::default() };
    let store = bucket(2);
    let identity = |wanted| async { view(&store, wanted).await.unwrap().identity() };
    assert_eq!(identity(ago(75)).await, identity(at(25)).await);
    assert_eq!(listed(&view(&store, ago(1000)).await.unwrap(), &KeyRange::everything()).await, ["d NotKept"]);
}

#[tokio::test]
async fn without_the_stores_clock_nothing_is_so_long_ago() {
    let options = MemoryOptions { tells_time: false, versioning: Versioning::Enabled, ..MemoryOptions::remote() };
    let store = MemoryStore::new(options);
    store.add_version(KeptVersion { is_current: true, ..version("a", "v1", 10, Some(1)) });
    let ago = Wanted { at: Some(Moment::Ago(Duration::from_secs(75))), ..Wanted::default() };
    let error = view(&store, ago).await.err().unwrap().to_string();
    assert!(error.contains("don't tell the time") && error.contains("a point in time"), "{error}");
    let then = view(&store, at(25)).await.unwrap();
    assert_eq!(listed(&then, &KeyRange::everything()).await, ["a v1"], "a point in time is one of its own");
}

#[tokio::test]
async fn each_view_is_a_place_of_its_own() {
    let store = bucket(2);
    let chosen = Wanted { versions: vec![("a".into(), "v1".into())], ..Wanted::default() };
    let other = Wanted { versions: vec![("a".into(), "v2".into())], ..Wanted::default() };
    let skipping = Wanted { skip_generated: true, ..Wanted::default() };
    let mut identities = vec![store.identity()];
    for wanted in [at(20), at(21), chosen, other, skipping] {
        identities.push(view(&store, wanted).await.unwrap().identity());
    }
    let number = identities.len();
    identities.sort();
    identities.dedup();
    assert_eq!(identities.len(), number, "{identities:?}");
}

#[tokio::test]
async fn generated_pages_are_left_out_as_unknown() {
    let store = MemoryStore::remote();
    for (key, generated) in [("index.html", "true"), ("d/index.html", "false"), ("d/other.html", "true")] {
        let metadata = vec![("generated".to_owned(), generated.to_owned())];
        let headers = ObjectHeaders { metadata, ..ObjectHeaders::default() };
        let new = NewObject {
            key: key.into(),
            size: 1,
            headers,
            condition: Condition::Absent,
            part_size: None,
            digest: None,
        };
        store.write(&new, Bytes::from_static(b"x")).await.unwrap();
    }
    store.put("myindex.html", "own");
    let view = view(&store, Wanted { skip_generated: true, ..Wanted::default() }).await.unwrap();
    let shown = listed(&view, &KeyRange::everything()).await;
    assert_eq!(shown, ["d/index.html -", "d/other.html -", "index.html Generated", "myindex.html -"]);
    assert!(!UnknownReason::Generated.is_failure(), "it is left out on request");
    assert!(view.look(&"index.html".into()).await.unwrap().is_some(), "it is there: nothing is deleted in its place");
}
