//! What there is to do in a round: a source, a destination, and the command
//! that brings them in step, slowed down so that a kill lands inside the work.

use std::fmt;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use tempfile::TempDir;

use super::dice::Dice;
use crate::harness::{Action, Files, Occurrence, Scene, content, wait_until_it_is_old, write_files};

/// What a round is mostly about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Upload,
    Download,
    DeletionUp,
    DeletionDown,
    ListingUp,
    ListingDown,
    Multipart,
}

impl Kind {
    /// The kinds of the rounds, again and again: each of them is among the first
    /// few. Every one begins with a listing, so that what comes after it is there more often.
    pub(super) const ROUNDS: [Self; 10] = [
        Self::Upload,
        Self::Multipart,
        Self::DeletionUp,
        Self::Download,
        Self::ListingUp,
        Self::DeletionDown,
        Self::ListingDown,
        Self::Upload,
        Self::Download,
        Self::Multipart,
    ];

    /// The requests that it is made of, with so many of them in a run.
    fn operations(self, deletes_in_bulk: bool) -> &'static [(&'static str, u64)] {
        match self {
            Self::Upload => &[("PutObject", 120)],
            Self::Download => &[("GetObject", 120)],
            Self::DeletionUp if deletes_in_bulk => &[("DeleteObjects", 2)],
            Self::DeletionUp => &[("DeleteObject", 200)],
            // A file's removal asks the bucket for one thing: whether the object is there again.
            Self::DeletionDown => &[("HeadObject", 120)],
            Self::ListingUp | Self::ListingDown => &[("ListObjectsV2", 22)],
            Self::Multipart => {
                &[("UploadPart", 6), ("UploadPart", 6), ("CreateMultipartUpload", 2), ("CompleteMultipartUpload", 1)]
            }
        }
    }

    fn goes_up(self) -> bool {
        matches!(self, Self::Upload | Self::DeletionUp | Self::ListingUp | Self::Multipart)
    }

    /// How many objects it is about.
    fn count(self) -> u64 {
        match self {
            Self::Upload | Self::Download | Self::DeletionDown => 160,
            // More than two batches of deletions.
            Self::DeletionUp => 600,
            Self::ListingUp | Self::ListingDown => 300,
            Self::Multipart => 3,
        }
    }
}

/// A round's places, and how they are brought in step.
pub(super) struct Stage {
    pub(super) scene: Scene,
    pub(super) kind: Kind,
    pub(super) jobs: u64,
    /// Whether a run takes seconds.
    pub(super) is_slow: bool,
    /// What both sides hold in the end.
    pub(super) wanted: Files,
    tree: PathBuf,
    provider: &'static str,
    listers: &'static str,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, jobs, wanted, provider, listers, .. } = self;
        let count = wanted.count();
        write!(f, "{kind:?} of {count} objects, --jobs {jobs} --provider {provider} --listers {listers}")
    }
}

impl Stage {
    /// Sets it up.
    pub(super) fn set(kind: Kind, dice: &mut Dice) -> Self {
        let page_limit = usize::try_from(dice.number(5..=12)).unwrap();
        let scene = Scene::public_with_pages_of(page_limit);
        let provider = dice.one_of(&["unknown", "brigade-dev"]);
        let listers = dice.one_of(&["1", "5"]);
        let tree = if kind == Kind::Multipart { large_files().directory.path().to_owned() } else { scene.path("tree") };
        // Only runs of more than a second commit anything before their end.
        let is_slow = dice.happens(60);
        let jobs = if is_slow { dice.number(1..=4) } else { dice.number(1..=16) };
        let stage = Self { scene, kind, jobs, is_slow, wanted: wanted(kind, dice), tree, provider, listers };
        stage.fill(dice);
        stage.scene.log().forget_requests();
        stage.slow_down(dice);
        stage
    }

    /// The requests that the work is made of, with so many of them in a run.
    pub(super) fn operations(&self) -> &'static [(&'static str, u64)] {
        self.kind.operations(self.is_known())
    }

    /// Whether the program is told whose bucket it is: of a stranger's it takes
    /// it that nothing is certain, neither order nor bulk deletions.
    pub(super) fn is_known(&self) -> bool {
        self.provider == "brigade-dev"
    }

    /// The command that is killed, and given again.
    pub(super) fn command(&self) -> Command {
        let mut places = [self.tree.to_str().unwrap().to_owned(), self.scene.url("")];
        if !self.kind.goes_up() {
            places.reverse();
        }
        let mut command = self.scene.brigade_command(["sync", &places[0], &places[1], "--output", "json"]);
        command.args(["--delete", "--max-delete", "100%", "--provider", self.provider]);
        command.args(["--jobs", &self.jobs.to_string(), "--listers", self.listers]);
        command
    }

    /// What the destination holds.
    pub(super) fn dest(&self) -> Files {
        if self.kind.goes_up() { Files(self.scene.objects()) } else { self.scene.read("tree") }
    }

    fn fill(&self, dice: &mut Dice) {
        let mut with_more = self.wanted.clone();
        for number in 0..self.kind.count() {
            with_more.put(&format!("d{}/{number:03}-more", number % 7), number.to_string());
        }
        match self.kind {
            Kind::Multipart => {}
            Kind::Upload => self.scene.write("tree", &self.wanted),
            Kind::Download => self.put(&self.wanted),
            Kind::ListingUp | Kind::ListingDown => {
                self.scene.write("tree", &self.wanted);
                self.put(&self.wanted);
            }
            Kind::DeletionUp => {
                self.put(&with_more);
                if dice.happens(50) {
                    // Both sides were in step, and it is remembered.
                    self.scene.write("tree", &with_more);
                    assert!(self.command().output().unwrap().status.success());
                }
                self.scene.write("tree", &self.wanted);
            }
            Kind::DeletionDown => {
                self.put(&self.wanted);
                self.scene.write("tree", &with_more);
            }
        }
    }

    fn put(&self, files: &Files) {
        for (key, content) in &files.0 {
            self.scene.put_exactly(key, content);
        }
    }

    /// A debug build on a busy machine is slow by itself; this makes sure of it.
    fn slow_down(&self, dice: &mut Dice) {
        let (least, most) = if self.is_slow { (20, 60) } else { (1, 20) };
        for operation in ["PutObject", "GetObject", "HeadObject", "DeleteObject", "ListObjectsV2"] {
            self.delay(operation, dice.number(least..=most));
        }
        for operation in ["CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload", "DeleteObjects"] {
            self.delay(operation, 5 * dice.number(least..=most));
        }
    }

    fn delay(&self, operation: &str, milliseconds: u64) {
        self.scene.log().befall(Action::Delay(Duration::from_millis(milliseconds)), operation, Occurrence::Every);
    }
}

fn wanted(kind: Kind, dice: &mut Dice) -> Files {
    let mut files = Files::default();
    if kind == Kind::Multipart {
        return large_files().files.clone();
    }
    for number in 0..kind.count() {
        let size = usize::try_from(dice.number(0..=3000)).unwrap();
        let mut bytes = format!("{number} ").into_bytes();
        bytes.resize(size.max(bytes.len()), b'x');
        files.put(&format!("d{}/{number:03}", number % 7), bytes);
    }
    files
}

/// Files that are sent in parts, whose times are so old that an upload of them may
/// be taken up: all rounds have the same ones, and none changes them.
fn large_files() -> &'static LargeFiles {
    static LARGE: OnceLock<LargeFiles> = OnceLock::new();
    LARGE.get_or_init(|| {
        let directory = tempfile::tempdir().unwrap();
        let bytes = content(36 << 20);
        let files = Files::new([("large/a", &bytes[..20 << 20]), ("large/b", &bytes[1..]), ("small", b"1")]);
        write_files(directory.path(), &files);
        wait_until_it_is_old(&directory.path().join("small"));
        LargeFiles { directory, files }
    })
}

struct LargeFiles {
    directory: TempDir,
    files: Files,
}
