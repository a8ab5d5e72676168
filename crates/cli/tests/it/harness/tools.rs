//! The programs that nobody here wrote, as `scripts/test` installs them.

use std::path::{Path, PathBuf};

/// Where the tool is. It fails, and never skips, where it isn't there.
pub(crate) fn tool(name: &str) -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let tool = target.join("test-tools/bin").join(name);
    assert!(tool.exists(), "{} is missing: run scripts/test, which installs it", tool.display());
    tool
}
