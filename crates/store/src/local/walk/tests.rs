//! The walk against trees made from sets of keys.

use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt;
use std::time::SystemTime;

use proptest::prelude::*;

use super::super::Symlinks;
use super::super::scenery::{Scenery, in_a_word, keys_of};
use super::*;
use crate::Version;

const SMALL: Bounds = Bounds { page_items: 3, names_in_memory: 2, open_directories: 2 };

fn pages(root: Root, range: KeyRange, bounds: Bounds) -> Result<Vec<Vec<Listed>>, String> {
    let mut walk = Walk::new(Arc::new(root), range, Arc::default(), bounds);
    let mut pages = Vec::new();
    while let Some(page) = walk.next_page()? {
        pages.push(page);
    }
    Ok(pages)
}

fn walk(scenery: &Scenery, symlinks: Symlinks, range: KeyRange, bounds: Bounds) -> Vec<Listed> {
    let root = Root::new(scenery.path().to_owned(), symlinks, Role::Source);
    pages(root, range, bounds).unwrap().concat()
}

fn words(scenery: &Scenery, symlinks: Symlinks) -> Vec<String> {
    walk(scenery, symlinks, KeyRange::everything(), Bounds::default()).iter().map(in_a_word).collect()
}

/// Keys of files that can stand in one tree: none is a directory of another.
fn tree() -> impl Strategy<Value = BTreeSet<Key>> {
    let names: [&[u8]; 12] =
        [b"a", b"a-", b"a.b", b"a0", b"a+", b"b", b"B", b" ", "ä".as_bytes(), "a\u{301}".as_bytes(), b"\xff", b"\x01"];
    let key = proptest::collection::vec(proptest::sample::select(names.to_vec()), 1..5)
        .prop_map(|components| Key::new(components.join(&b'/')));
    proptest::collection::btree_set(key, 0..40).prop_map(|keys| {
        let below = |key: &Key, other: &Key| other.as_bytes().starts_with(&[key.as_bytes(), b"/"].concat());
        keys.iter().filter(|key| !keys.iter().any(|other| below(key, other))).cloned().collect()
    })
}

fn scenery_of(keys: &BTreeSet<Key>) -> Scenery {
    let scenery = Scenery::new();
    for key in keys {
        scenery.file(key.as_bytes(), "");
    }
    scenery
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_walk_gives_all_keys_in_byte_order(keys in tree(), follow in any::<bool>()) {
        let symlinks = if follow { Symlinks::Follow } else { Symlinks::Skip };
        let expected: Vec<Key> = keys.iter().cloned().collect();
        let scenery = scenery_of(&keys);
        for bounds in [SMALL, Bounds::default()] {
            prop_assert_eq!(&keys_of(&walk(&scenery, symlinks, KeyRange::everything(), bounds)), &expected);
        }
    }

    #[test]
    fn it_gives_the_part_that_lies_in_a_range(
        keys in tree(),
        after in proptest::option::of(proptest::collection::vec(any::<u8>(), 0..3)),
        through in proptest::option::of(proptest::collection::vec(any::<u8>(), 0..3)),
    ) {
        let scenery = scenery_of(&keys);
        // From arbitrary bytes, and from and through every key of the tree.
        let free = KeyRange { after: after.map(Key::new), through: through.map(Key::new) };
        let from = keys.iter().map(|key| KeyRange { after: Some(key.clone()), through: None });
        let to = keys.iter().map(|key| KeyRange { after: None, through: Some(key.clone()) });
        for range in std::iter::once(free).chain(from).chain(to) {
            let expected: Vec<Key> = keys.iter().filter(|key| range.contains(key)).cloned().collect();
            prop_assert_eq!(keys_of(&walk(&scenery, Symlinks::Skip, range, SMALL)), expected);
        }
    }
}

#[test]
fn an_entry_is_what_stat_says() {
    let scenery = Scenery::new();
    scenery.file("f", "12345");
    let modified = time(-7, 123_456_789);
    std::fs::File::options().write(true).open(scenery.at("f")).unwrap().set_modified(modified).unwrap();
    let metadata = std::fs::metadata(scenery.at("f")).unwrap();
    let items = walk(&scenery, Symlinks::Skip, KeyRange::everything(), Bounds::default());
    let [Listed::Present(entry)] = &items[..] else { panic!("{items:?}") };
    assert_eq!((entry.size, entry.modified), (5, modified));
    let changed = time(metadata.ctime(), u32::try_from(metadata.ctime_nsec()).unwrap());
    assert_eq!(entry.version, Version::File { changed, inode: metadata.ino(), device: metadata.dev() });
}

fn time(seconds: i64, nanoseconds: u32) -> SystemTime {
    crate::time::at(seconds, nanoseconds)
}

#[test]
fn pages_are_full_but_the_last_and_never_empty() {
    let keys: BTreeSet<Key> = (0..7).map(|n| Key::from(format!("{n}/x"))).collect();
    let scenery = scenery_of(&keys);
    scenery.directory("8/empty");
    let root = || Root::new(scenery.path().to_owned(), Symlinks::Skip, Role::Source);
    let lengths = |page_items| -> Vec<usize> {
        let bounds = Bounds { page_items, ..SMALL };
        pages(root(), KeyRange::everything(), bounds).unwrap().iter().map(Vec::len).collect()
    };
    assert_eq!(lengths(3), [3, 3, 1]);
    assert_eq!(lengths(7), [7]);
}

#[test]
fn directories_outside_the_range_are_not_read() {
    let scenery = Scenery::new();
    for key in ["a/x", "b/x", "b0/x"] {
        scenery.file(key, "");
    }
    // Whether a directory was read shows in its children: the root's of this range are `b/` alone.
    let range = KeyRange { after: Some("b/".into()), through: Some("b/z".into()) };
    let root = Arc::new(Root::new(scenery.path().to_owned(), Symlinks::Skip, Role::Source));
    let mut stack = Walk::new(root, range, Arc::default(), SMALL).start().unwrap();
    let (name, _) = stack.frames[0].children.next().unwrap().unwrap();
    assert_eq!(&*name, b"b/");
    assert!(stack.frames[0].children.next().unwrap().is_none());
}

#[test]
fn what_is_brigades_own_is_left_out_at_every_level() {
    let scenery = Scenery::new();
    for key in [".brigade-0123456789abcdef", ".brigade-trash/x", "a/.brigade-2", "a/.brigade", "a/x.brigade-"] {
        scenery.file(key, "");
    }
    let of_source = [".brigade-trash/x", "a/.brigade", "a/.brigade-2", "a/x.brigade-"];
    assert_eq!(words(&scenery, Symlinks::Follow), of_source);
    assert!(left_out(Role::Destination)(b".brigade-2", FileType::RegularFile));
}

#[test]
fn special_files_are_unknown() {
    let scenery = Scenery::new();
    scenery.file("a", "");
    scenery.socket("b");
    for symlinks in [Symlinks::Follow, Symlinks::Skip] {
        assert_eq!(words(&scenery, symlinks), ["a", "b special"]);
    }
}

#[test]
fn a_symlink_that_is_not_followed_hides_its_key_and_all_below_each_in_its_place() {
    let scenery = Scenery::new();
    scenery.file("d/x", "");
    for key in ["link-", "link0"] {
        scenery.file(key, "");
    }
    scenery.link("link", "d");
    let expected = ["d/x", "link symlink", "link-", "link/* symlink", "link0"];
    assert_eq!(words(&scenery, Symlinks::Skip), expected);
}

#[test]
fn a_symlink_that_is_followed_stands_for_its_target() {
    let elsewhere = Scenery::new();
    elsewhere.file("f", "12345");
    elsewhere.file("d/x/y", "");
    let scenery = Scenery::new();
    scenery.file("l-", "");
    scenery.link("l", elsewhere.at("d"));
    scenery.link("m", elsewhere.at("f"));
    scenery.link("n", scenery.at("m"));
    scenery.socket("s");
    scenery.link("t", "s");
    assert_eq!(words(&scenery, Symlinks::Follow), ["l-", "l/x/y", "m", "n", "s special", "t special"]);
    let items = walk(&scenery, Symlinks::Follow, KeyRange::everything(), Bounds::default());
    let Listed::Present(entry) = &items[2] else { panic!("{items:?}") };
    assert_eq!(entry.size, 5);
}

#[test]
fn broken_symlinks_and_loops_are_unknown_and_end() {
    let scenery = Scenery::new();
    scenery.file("a/x", "");
    scenery.link("a/up", "..");
    scenery.link("a/self", ".");
    scenery.link("b", "nowhere");
    scenery.link("c", "c");
    scenery.link("d", "a");
    let expected = [
        "a/self loop",
        "a/self/* loop",
        "a/up loop",
        "a/up/* loop",
        "a/x",
        "b broken",
        "b/* broken",
        "c loop",
        "c/* loop",
        "d/self loop",
        "d/self/* loop",
        "d/up loop",
        "d/up/* loop",
        "d/x",
    ];
    assert_eq!(words(&scenery, Symlinks::Follow), expected);
}

#[test]
fn an_unknown_that_reaches_into_the_range_is_given() {
    let scenery = Scenery::new();
    scenery.link("b", "nowhere");
    let from = |after: &str| {
        let range = KeyRange { after: Some(after.into()), through: None };
        walk(&scenery, Symlinks::Skip, range, SMALL).iter().map(in_a_word).collect::<Vec<_>>()
    };
    assert_eq!(from("a"), ["b symlink", "b/* symlink"]);
    assert_eq!(from("b"), ["b/* symlink"]);
    assert_eq!(from("b/x/y"), ["b/* symlink"]);
    assert_eq!(from("b0"), [""; 0]);
}

#[test]
fn a_tree_deeper_than_any_path_is_walked_with_few_descriptors() {
    // 10,000 bytes: more than PATH_MAX.
    const DEPTH: usize = 200;
    let name = [b'd'; 49];
    let scenery = Scenery::new();
    let root = Root::new(scenery.path().to_owned(), Symlinks::Skip, Role::Destination);
    let names = vec![&name[..]; DEPTH];
    for depth in [DEPTH, DEPTH / 2, 1] {
        let directory = root.make(&names[..depth]).unwrap();
        rustix::fs::openat(
            &directory,
            "z",
            rustix::fs::OFlags::CREATE | rustix::fs::OFlags::WRONLY,
            rustix::fs::Mode::RWXU,
        )
        .unwrap();
    }
    let range = KeyRange::everything();
    let mut walk = Walk::new(Arc::new(root), range, Arc::default(), Bounds { page_items: 1, ..SMALL });
    let mut lengths = Vec::new();
    while let Some(page) = walk.next_page().unwrap() {
        lengths.push(keys_of(&page)[0].as_bytes().len());
        let frames = &walk.stack.as_ref().unwrap().frames;
        assert!(frames.iter().filter(|frame| frame.descriptor.is_some()).count() <= 3);
    }
    assert_eq!(lengths, [50 * DEPTH + 1, 50 * (DEPTH / 2) + 1, 51]);
}

#[test]
fn a_directory_that_was_moved_away_deep_down_is_unknown_from_there_on() {
    let scenery = Scenery::new();
    for key in ["a/b/c/d/e", "a/b/y", "a/z", "z"] {
        scenery.file(key, "");
    }
    let root = Arc::new(Root::new(scenery.path().to_owned(), Symlinks::Skip, Role::Source));
    let bounds = Bounds { page_items: 1, open_directories: 1, ..SMALL };
    let mut walk = Walk::new(root, KeyRange::everything(), Arc::default(), bounds);
    let mut next = || walk.next_page().unwrap().map(|page| in_a_word(&page[0]));
    assert_eq!(next().unwrap(), "a/b/c/d/e");
    std::fs::rename(scenery.at("a/b"), scenery.at("moved")).unwrap();
    scenery.file("a/b/y", "another");
    let rest: Vec<String> = std::iter::from_fn(next).collect();
    assert_eq!(rest, ["a/b/y unreadable", "a/z", "z"]);
}

#[test]
fn what_changes_between_its_name_and_its_stat_is_absent_or_unknown() {
    let scenery = Scenery::new();
    for key in ["a", "b", "c/x", "d/x", "e", "f/x"] {
        scenery.file(key, "");
    }
    let root = Arc::new(Root::new(scenery.path().to_owned(), Symlinks::Skip, Role::Source));
    let mut walk = Walk::new(root, KeyRange::everything(), Arc::default(), Bounds { page_items: 1, ..SMALL });
    assert_eq!(in_a_word(&walk.next_page().unwrap().unwrap()[0]), "a");
    std::fs::remove_file(scenery.at("b")).unwrap();
    std::fs::remove_dir_all(scenery.at("c")).unwrap();
    std::fs::remove_dir_all(scenery.at("d")).unwrap();
    scenery.link("d", "f");
    std::fs::remove_file(scenery.at("e")).unwrap();
    scenery.directory("e");
    let rest: Vec<String> = std::iter::from_fn(|| walk.next_page().unwrap()).map(|page| in_a_word(&page[0])).collect();
    assert_eq!(rest, ["d/* unreadable", "e unreadable", "f/x"]);
}

#[test]
fn a_root_that_was_removed_breaks_the_listing() {
    let scenery = Scenery::new();
    scenery.directory("d");
    let root = Arc::new(Root::new(scenery.at("d"), Symlinks::Skip, Role::Source));
    root.open().unwrap();
    std::fs::remove_dir(scenery.at("d")).unwrap();
    let mut walk = Walk::new(root, KeyRange::everything(), Arc::default(), SMALL);
    assert!(walk.next_page().unwrap_err().contains("removed"));
}

#[test]
fn a_symlink_that_breaks_while_it_is_listed_is_unknown() {
    let (scenery, elsewhere) = (Scenery::new(), Scenery::new());
    for key in ["d/x", "f"] {
        elsewhere.file(key, "");
    }
    scenery.file("a", "");
    scenery.link("d", elsewhere.at("d"));
    scenery.link("f", elsewhere.at("f"));
    let root = Arc::new(Root::new(scenery.path().to_owned(), Symlinks::Follow, Role::Source));
    let mut walk = Walk::new(root, KeyRange::everything(), Arc::default(), Bounds { page_items: 1, ..SMALL });
    let mut next = || walk.next_page().unwrap().map(|page| in_a_word(&page[0]));
    assert_eq!(next().unwrap(), "a");
    std::fs::rename(elsewhere.at("d"), elsewhere.at("moved")).unwrap();
    std::fs::remove_file(elsewhere.at("f")).unwrap();
    assert_eq!(std::iter::from_fn(next).collect::<Vec<_>>(), ["d/* unreadable", "f broken"]);
}

#[test]
fn a_missing_root_is_an_empty_destination_and_no_source() {
    let scenery = Scenery::new();
    scenery.file("file", "");
    let list =
        |name: &str, role| pages(Root::new(scenery.at(name), Symlinks::Skip, role), KeyRange::everything(), SMALL);
    assert_eq!(list("missing", Role::Destination), Ok(vec![]));
    assert!(list("missing", Role::Source).unwrap_err().contains("no such directory"));
    for role in [Role::Source, Role::Destination] {
        assert!(list("file", role).unwrap_err().contains("not a directory"));
    }
}

#[test]
fn a_walk_that_is_stopped_goes_no_further() {
    let scenery = Scenery::new();
    for key in ["a", "b", "c"] {
        scenery.file(key, "");
    }
    let root = Arc::new(Root::new(scenery.path().to_owned(), Symlinks::Skip, Role::Source));
    let stop = Arc::new(AtomicBool::new(false));
    let bounds = Bounds { page_items: 1, ..SMALL };
    let mut walk = Walk::new(root, KeyRange::everything(), stop.clone(), bounds);
    assert!(walk.next_page().unwrap().is_some());
    stop.store(true, Ordering::Relaxed);
    assert!(walk.next_page().is_err());
}

/// The root user reads everything: the walk is done as nobody, on a thread
/// whose user alone is changed.
#[cfg(target_os = "linux")]
fn pages_as_nobody(root: Root) -> Result<Vec<Vec<Listed>>, String> {
    let walk = move || {
        if rustix::process::geteuid().is_root() {
            rustix::thread::set_thread_uid(rustix::fs::Uid::from_raw(65_534)).unwrap();
        }
        pages(root, KeyRange::everything(), SMALL)
    };
    std::thread::spawn(walk).join().unwrap()
}

#[cfg(target_os = "linux")]
#[test]
fn what_may_not_be_read_is_unknown_and_a_root_breaks_the_listing() {
    use std::fs::{Permissions, set_permissions};
    use std::os::unix::fs::PermissionsExt;

    let scenery = Scenery::new();
    for key in ["a", "b/x", "c/x", "d", "target/x"] {
        scenery.file(key, "");
    }
    scenery.link("link", "target/x");
    let permit = |key: &str, mode| set_permissions(scenery.at(key), Permissions::from_mode(mode)).unwrap();
    permit("", 0o755);
    permit("b", 0o000);
    // The names could be read, but not what they stand for.
    permit("c", 0o744);
    permit("target", 0o000);
    let root = || Root::new(scenery.path().to_owned(), Symlinks::Follow, Role::Source);
    let items: Vec<String> = pages_as_nobody(root()).unwrap().concat().iter().map(in_a_word).collect();
    let expected =
        ["a", "b/* unreadable", "c/* unreadable", "d", "link unreadable", "link/* unreadable", "target/* unreadable"];
    assert_eq!(items, expected);
    permit("", 0o000);
    assert!(pages_as_nobody(root()).unwrap_err().contains("denied"));
    for key in ["", "b", "c", "target"] {
        permit(key, 0o755);
    }
}
