//! Where a ledger's file is: its name in a directory of ledgers, and what kind of file system that is.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use md5::{Digest as _, Md5};

use super::sqlite::{Binding, FileSystem};

/// How the names of ledgers end.
pub const EXTENSION: &str = "ledger";

/// The name of the ledger of these locations in a directory of ledgers.
#[must_use]
pub fn name(binding: &Binding) -> String {
    let mut digest = Md5::new();
    for location in [&binding.source, &binding.dest] {
        digest.update((location.len() as u64).to_le_bytes());
        digest.update(location.as_bytes());
    }
    let name = digest.finalize().iter().take(8).fold(String::new(), |mut name, byte| {
        // Writing to a String can't fail.
        let _ = write!(name, "{byte:02x}");
        name
    });
    format!("{name}.{EXTENSION}")
}

/// The file whose lock is held while a run uses the ledger.
#[must_use]
pub fn lock_of(ledger: &Path) -> PathBuf {
    beside(ledger, ".lock")
}

/// What SQLite may have beside the ledger.
#[must_use]
pub fn companions_of(ledger: &Path) -> [PathBuf; 3] {
    ["-wal", "-shm", "-journal"].map(|suffix| beside(ledger, suffix))
}

fn beside(ledger: &Path, suffix: &str) -> PathBuf {
    let mut path = ledger.as_os_str().to_owned();
    path.push(suffix);
    path.into()
}

/// The kind of file system that a file is on, or will be. What can't be found out counts as local.
pub(super) fn file_system_of(file: &Path) -> FileSystem {
    let directory = file.parent().filter(|directory| !directory.as_os_str().is_empty()).unwrap_or(Path::new("."));
    #[cfg(target_os = "linux")]
    {
        rustix::fs::statfs(directory).map_or(FileSystem::Local, |stat| by_magic(stat.f_type.cast_unsigned()))
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = directory;
        FileSystem::Local
    }
}

/// By the number that the kernel has for it (`statfs(2)`, and `linux/magic.h`).
#[cfg(target_os = "linux")]
fn by_magic(magic: u64) -> FileSystem {
    const NETWORKED: [u64; 12] = [
        0x6969,      // NFS
        0x517b,      // SMB
        0xff53_4d42, // CIFS
        0xfe53_4d42, // SMB2
        0x6573_5546, // FUSE: sshfs, s3fs and their like
        0x0102_1997, // 9P
        0x00c3_6400, // Ceph
        0x5346_414f, // AFS
        0x0bd0_0bd0, // Lustre
        0x4750_4653, // GPFS
        0x7461_636f, // OCFS2
        0x0116_1970, // GFS2
    ];
    // Where a number is 32 bits wide, its sign may have been carried on.
    if NETWORKED.contains(&(magic & 0xffff_ffff)) { FileSystem::Network } else { FileSystem::Local }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_pair_of_locations_has_a_name_of_its_own() {
        let binding = |source: &str, dest: &str| Binding { source: source.into(), dest: dest.into() };
        let names = [("a", "b"), ("b", "a"), ("ab", ""), ("", "ab"), ("a", "bc")].map(|(a, b)| name(&binding(a, b)));
        for (place, one) in names.iter().enumerate() {
            assert!(one.len() == 16 + ".ledger".len(), "{one}");
            assert!(!names[..place].contains(one), "{one}");
        }
        assert_eq!(name(&binding("a", "b")), names[0], "the same in every run");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn network_file_systems_are_told_by_their_numbers() {
        let table = [
            ("ext4", 0xef53, FileSystem::Local),
            ("tmpfs", 0x0102_1994, FileSystem::Local),
            ("nfs", 0x6969, FileSystem::Network),
            ("cifs", 0xff53_4d42, FileSystem::Network),
            ("cifs, its sign carried on", 0xffff_ffff_ff53_4d42, FileSystem::Network),
        ];
        for (name, magic, expected) in table {
            assert_eq!(by_magic(magic), expected, "{name}");
        }
    }
}
