//! Trees of files: made, read back and compared byte for byte.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// The files of a tree, by their paths below its root.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Files(pub(crate) BTreeMap<String, Vec<u8>>);

impl Files {
    /// These files.
    pub(crate) fn new<const N: usize>(files: [(&str, &[u8]); N]) -> Self {
        Self(files.into_iter().map(|(path, content)| (path.to_owned(), content.to_vec())).collect())
    }

    /// A tree with whatever makes trouble: names around `/` in the order of
    /// bytes (where servers go wrong), names that URLs must escape, an empty
    /// file, and one that is uploaded in parts.
    pub(crate) fn troublesome() -> Self {
        let mut files = Self::new([
            ("a/x", b"below a"),
            ("a/y/z", b"further below a"),
            ("a-b", b"minus sorts before the slash"),
            ("a.b", b"so does the dot"),
            ("a+b", b"and the plus"),
            ("a0", b"the digit sorts after it"),
            ("empty", b""),
            ("with space/and more.txt", b"spaces"),
            ("100%/50%25.txt", b"percent signs"),
            ("query?/and=that&#1.txt", b"what means something in a URL"),
            ("quote's/\"both\".txt", b"quotes"),
            ("\u{fc}n\u{ef}/c\u{f8}d\u{e9}-\u{1f600}.txt", b"not ASCII"),
            ("<tag>&amp;.xml", b"what means something in XML"),
            ("deep/er/and/deeper/still/leaf.html", b"<p>deep</p>"),
        ]);
        files.put("large.bin", content(20 << 20));
        files
    }

    /// Adds a file, or changes it.
    pub(crate) fn put(&mut self, path: &str, content: impl Into<Vec<u8>>) {
        self.0.insert(path.to_owned(), content.into());
    }

    /// Takes a file away.
    pub(crate) fn take(&mut self, path: &str) {
        assert!(self.0.remove(path).is_some(), "{path} is not among the files");
    }

    /// How many there are.
    pub(crate) fn count(&self) -> u64 {
        self.0.len() as u64
    }

    /// The bytes of all of them.
    pub(crate) fn bytes(&self) -> u64 {
        self.0.values().map(|content| content.len() as u64).sum()
    }

    /// Their paths.
    pub(crate) fn paths(&self) -> Vec<&str> {
        self.0.keys().map(String::as_str).collect()
    }

    /// Asserts that these are the wanted files, byte for byte.
    #[track_caller]
    pub(crate) fn assert_are(&self, wanted: &Self) {
        assert_eq!(self.paths(), wanted.paths(), "(left: what is there, right: what should be)");
        for (path, content) in &self.0 {
            assert!(
                content == &wanted.0[path],
                "{path} has other content: {} bytes, not the {} that it should have",
                content.len(),
                wanted.0[path].len()
            );
        }
    }
}

/// So many bytes that don't repeat early (xorshift64, always from one seed).
pub(crate) fn content(bytes: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let words = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    });
    words.flatten().take(bytes).collect()
}

/// Makes `root` hold exactly these files. Files that are there already with the
/// right content are left alone. New ones get an mtime of long ago, so that
/// tools that go by time find them older than any copy.
pub(crate) fn write_files(root: &Path, files: &Files) {
    fs::create_dir_all(root).unwrap();
    let there = files_below(root);
    for gone in there.0.keys().filter(|path| !files.0.contains_key(*path)) {
        fs::remove_file(root.join(gone)).unwrap();
    }
    for (path, content) in files.0.iter().filter(|(path, content)| there.0.get(*path) != Some(content)) {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        set_modified(&path, long_ago());
    }
}

/// 2024-02-03 04:05:06.123456789 UTC.
pub(crate) fn long_ago() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::new(1_706_933_106, 123_456_789)
}

/// Sets a file's mtime.
pub(crate) fn set_modified(path: &Path, modified: SystemTime) {
    File::options().write(true).open(path).unwrap().set_modified(modified).unwrap();
}

/// Everything below the directory, whatever it is and nothing followed: of a file
/// its content, inode and mtime, of a symlink its target.
pub(crate) fn everything_below(root: &Path) -> BTreeMap<PathBuf, String> {
    let mut everything = BTreeMap::new();
    let mut directories = vec![root.to_owned()];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            let metadata = path.symlink_metadata().unwrap();
            let (inode, mtime) = (metadata.ino(), metadata.mtime_nsec());
            let what = if metadata.is_dir() {
                directories.push(path.clone());
                "directory".to_owned()
            } else if metadata.is_symlink() {
                format!("symlink to {}", path.read_link().unwrap().display())
            } else if metadata.is_file() {
                format!("file {inode} of {mtime}: {}", fs::read(&path).unwrap().escape_ascii())
            } else {
                format!("{:?} {inode}", metadata.file_type())
            };
            everything.insert(path, what);
        }
    }
    everything
}

/// All files below the directory; none where it isn't there.
pub(crate) fn files_below(root: &Path) -> Files {
    let mut files = Files::default();
    let mut directories = vec![root.to_owned()];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
            } else {
                let key = path.strip_prefix(root).unwrap().to_str().unwrap();
                files.put(key, fs::read(&path).unwrap());
            }
        }
    }
    files
}
