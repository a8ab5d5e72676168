//! Makes the files that a synthetic bucket lists, with its content.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::bucket::Bucket;
use crate::content;

/// Makes the files below the directory, which must not exist yet.
pub(crate) fn make(directory: &Path, bucket: &Bucket) -> io::Result<()> {
    fs::create_dir_all(directory.parent().unwrap_or(directory))?;
    fs::create_dir(directory)?;
    let mut made = PathBuf::new();
    for number in 0..bucket.count {
        let path = directory.join(bucket.key(number));
        // Files come by directory: only the first of each finds it missing.
        let parent = path.parent().unwrap_or(directory);
        if parent != made {
            fs::create_dir_all(parent)?;
            parent.clone_into(&mut made);
        }
        let mut file = File::create_new(&path)?;
        for piece in content::pieces(0, bucket.size) {
            file.write_all(piece)?;
        }
    }
    Ok(())
}
