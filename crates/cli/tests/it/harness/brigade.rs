//! The program under test: run to its end, or started and talked to.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, ChildStdout, Command, Output, Stdio};

use serde_json::Value;

use super::secrets::Secrets;

/// How a run ended and what it said.
pub(crate) struct Ended {
    /// The command line, for messages.
    pub(crate) command: String,
    /// The exit code; `None` where a signal ended it.
    pub(crate) code: Option<i32>,
    /// Standard output.
    pub(crate) stdout: String,
    /// Standard error.
    pub(crate) stderr: String,
}

impl Ended {
    /// Runs the command to its end.
    pub(crate) fn of(command: Command) -> Self {
        Self::of_while(command, || ())
    }

    /// Runs the command to its end, and does this meanwhile. It must not say
    /// more until then than a pipe holds, and never a secret.
    pub(crate) fn of_while(command: Command, meanwhile: impl FnOnce()) -> Self {
        Self::of_watched(command, |_| meanwhile())
    }

    /// The same, with the number of its process.
    pub(crate) fn of_watched(mut command: Command, meanwhile: impl FnOnce(u32)) -> Self {
        let piped = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = piped.spawn().unwrap();
        meanwhile(child.id());
        let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
        let [stdout, stderr] = [stdout, stderr].map(|said| String::from_utf8(said).unwrap());
        let secrets = Secrets::of(&command);
        secrets.assert_absent_from(&stdout);
        secrets.assert_absent_from(&stderr);
        Self { command: format!("{command:?}"), code: status.code(), stdout, stderr }
    }

    /// Asserts the exit code.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "\n{}\nstdout:\n{}\nstderr:\n{}", self.command, self.stdout, self.stderr);
        self
    }

    /// Asserts that standard error says this.
    #[track_caller]
    pub(crate) fn complains(self, of: &str) -> Self {
        assert!(self.stderr.contains(of), "{of:?} is not in what {} said:\n{}", self.command, self.stderr);
        self
    }

    /// Asserts that standard error names the key's failure, and that its reason says this.
    #[track_caller]
    pub(crate) fn complains_of(&self, key: &str, reason: &str) {
        let named = |line: &str| {
            let rest = line.strip_prefix("failed: ").and_then(|rest| rest.strip_prefix(key));
            rest.is_some_and(|rest| rest.starts_with([':', ' ', '/']) && rest.contains(reason))
        };
        let said = self.stderr.lines().any(named);
        assert!(said, "no {reason:?} of {key:?} is in what {} said:\n{}", self.command, self.stderr);
    }

    /// Standard output as one JSON object a line.
    #[track_caller]
    pub(crate) fn events(&self) -> Vec<Value> {
        let parse = |line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in {line}"));
        self.stdout.lines().map(parse).collect()
    }

    /// The last event, which is the summary.
    #[track_caller]
    pub(crate) fn summary(&self) -> Summary {
        let summary = self.events().pop().expect("standard output is empty");
        assert_eq!(summary["type"], "summary", "{summary}");
        Summary(summary)
    }
}

/// The summary of a sync.
pub(crate) struct Summary(pub(crate) Value);

impl Summary {
    /// What can become of a key: each is in one of these counts.
    const KEY_COUNTS: [&str; 15] = [
        "in_step",
        "created",
        "replaced",
        "deleted",
        "extra",
        "deletions_held_back",
        "excluded",
        "held",
        "over_limit",
        "withdrawn",
        "skipped",
        "unrepresentable",
        "archived",
        "restoring",
        "failed",
    ];

    /// Asserts these counts of keys, and that all others are zero.
    #[track_caller]
    pub(crate) fn counts<const N: usize>(&self, wanted: [(&'static str, u64); N]) {
        for (name, _) in wanted {
            assert!(Self::KEY_COUNTS.contains(&name), "{name} is no count of keys");
        }
        let counts = Self::KEY_COUNTS.map(|name| (name, self.0[name].as_u64().unwrap()));
        let sorted = |counts: &[(&'static str, u64)]| {
            let mut counts: Vec<_> = counts.iter().copied().filter(|(_, count)| *count > 0).collect();
            counts.sort_unstable();
            counts
        };
        assert_eq!(sorted(&counts), sorted(&wanted), "(left: counted, right: wanted) in {}", self.0);
    }

    /// How many were sent without a digest to check the copy with.
    pub(crate) fn unverified(&self) -> u64 {
        self.0["unverified"].as_u64().unwrap()
    }

    /// The bytes that were sent.
    pub(crate) fn bytes(&self) -> u64 {
        self.0["bytes"].as_u64().unwrap()
    }

    /// How many requests of this operation were sent.
    pub(crate) fn requests(&self, operation: &str) -> u64 {
        let requests = self.0["requests"].as_array().unwrap();
        requests
            .iter()
            .filter(|count| count["operation"] == operation)
            .map(|count| count["sent"].as_u64().unwrap())
            .sum()
    }

    /// Asserts that no request was sent that could have changed something.
    #[track_caller]
    pub(crate) fn changed_nothing(&self) {
        for request in self.0["requests"].as_array().unwrap() {
            let operation = request["operation"].as_str().unwrap();
            let reads = ["Get", "Head", "List"].iter().any(|verb| operation.starts_with(verb));
            assert!(reads, "{operation} was sent: {}", self.0);
        }
    }
}

/// A program that goes on until it is dropped, and is killed then.
pub(crate) struct Running {
    child: Child,
    stdout: BufReader<ChildStdout>,
    secrets: Secrets,
}

impl Running {
    /// Starts the command.
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        Self { child, stdout, secrets: Secrets::of(&command) }
    }

    /// Waits for the next line of standard output.
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        assert_ne!(self.stdout.read_line(&mut line).unwrap(), 0, "standard output ended");
        self.secrets.assert_absent_from(&line);
        line
    }

    /// Its process number.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for its end; the exit code.
    pub(crate) fn wait(mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already, which is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
