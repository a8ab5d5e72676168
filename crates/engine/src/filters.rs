//! Which keys take part: gitignore's globs, judged per key, the last match wins.

/// One `--exclude` or `--include`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Keys that match are left out.
    Exclude(String),
    /// Keys that match are let in.
    Include(String),
}

/// The rules of a job, compiled.
#[derive(Clone, Debug, Default)]
pub struct Filters {}

/// A pattern that is no glob.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the pattern {pattern:?} is not a glob: {reason}")]
pub struct PatternError {
    /// The pattern as written.
    pub pattern: String,
    /// What is wrong with it.
    pub reason: String,
}

impl Filters {
    /// Compiles the rules, in the order of the command line.
    pub fn new(_rules: &[Rule]) -> Result<Self, PatternError> {
        Ok(Self::default())
    }
}
