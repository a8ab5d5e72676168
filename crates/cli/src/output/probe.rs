//! What `brigade probe` found out, as a table for a person or as events for a program.

mod event;

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use brigade_store::s3::probe::{Latency, Subject, Times, Trial, Verdict};
use brigade_store::s3::{Bucket, Dialect, Fact, Provider, Support};

use super::figures::duration;
use super::streams::printable;
use crate::arguments::Format;
use crate::exit::Exit;

/// How results are shown.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shown {
    /// For whom.
    pub(crate) format: Format,
}

/// What is known before anything is tried.
#[derive(Clone, Debug)]
pub(crate) struct Setting {
    /// The bucket, and what its client has learnt.
    pub(crate) bucket: Bucket,
    /// How long requests take.
    pub(crate) latency: Latency,
}

/// How it ended.
#[derive(Clone, Debug)]
pub(crate) struct Probed {
    /// The exit code.
    pub(crate) exit: Exit,
    /// What went wrong.
    pub(crate) error: Option<String>,
    /// What a sync counted on before.
    pub(crate) before: Dialect,
    /// What it counts on now.
    pub(crate) after: Dialect,
    /// The file in which what was found is kept.
    pub(crate) kept_in: Option<PathBuf>,
    /// Whether it was allowed to write.
    pub(crate) wrote: bool,
    /// The provider that a flag names, which is believed before what was found.
    pub(crate) provider: Option<Provider>,
    /// Whether something turned out otherwise than the provider promises.
    pub(crate) contradicted: bool,
    /// What came of the trials.
    pub(crate) verdicts: Vec<Verdict>,
}

impl Probed {
    /// Nothing was found out.
    pub(crate) fn broken_off(exit: Exit, error: Option<String>) -> Self {
        Self {
            exit,
            error,
            before: Dialect::UNKNOWN,
            after: Dialect::UNKNOWN,
            kept_in: None,
            wrote: false,
            provider: None,
            contradicted: false,
            verdicts: Vec::new(),
        }
    }

    fn found_nothing(&self) -> bool {
        self.exit != Exit::InStep && self.kept_in.is_none() && self.after == Dialect::UNKNOWN
    }
}

impl Shown {
    /// Says where requests go, as whom, and how long they take.
    pub(crate) fn setting(self, setting: &Setting) -> String {
        match self.format {
            Format::Json => event::setting(setting),
            Format::Text => setting.table(),
        }
    }

    /// Says what came of a trial.
    pub(crate) fn trial(self, trial: &Trial) -> String {
        match self.format {
            Format::Json => event::trial(trial),
            Format::Text => {
                let (what, found) = (subject(trial.subject), verdict(trial.verdict));
                format!("  {what:<32} {found:<8} {}\n", printable(&trial.reason))
            }
        }
    }

    /// Says what follows, with the end.
    pub(crate) fn summary(self, probed: &Probed) -> String {
        match self.format {
            Format::Json => event::summary(probed),
            Format::Text if probed.found_nothing() => String::new(),
            Format::Text => probed.conclusion(),
        }
    }
}

impl Setting {
    fn table(&self) -> String {
        let client = self.bucket.client();
        let url = self.bucket.url();
        let is_in_path = url.ends_with(&format!("/{}", self.bucket.name()));
        let place = if is_in_path { "path" } else { "host's name" };
        let skew = client.clock_skew().unwrap_or_default();
        let rows = [
            ("endpoint", format!("{url} (the bucket is in the {place})")),
            ("region", self.bucket.region()),
            ("provider", self.provider()),
            ("credentials", self.credentials()),
            ("clock", clock(skew.by, skew.service_ahead)),
            (
                "latency",
                format!(
                    "{} on a new connection, {} on an open one",
                    times(self.latency.new_connection),
                    times(self.latency.kept_connection)
                ),
            ),
        ];
        let mut table = String::new();
        for (name, value) in rows {
            // Writing into a string can't fail.
            let _ = writeln!(table, "{name:<12} {}", printable(&value));
        }
        table.push_str("\nTried                              found    how\n");
        table
    }

    fn provider(&self) -> String {
        let client = self.bucket.client();
        let how = match (client.provider(), client.provider_was_said()) {
            (_, true) => "as --provider says",
            (Provider::Unknown, false) => "the endpoint's name doesn't tell it",
            (_, false) => "by the endpoint's name",
        };
        let server = client.server().map(|server| format!("; its answers are from {server:?}")).unwrap_or_default();
        format!("{}, {how}{server}", client.provider())
    }

    fn credentials(&self) -> String {
        let Some(origin) = self.bucket.client().credentials_origin() else {
            return "none: requests are not signed (--no-sign-request)".to_owned();
        };
        let expires = origin.expires.and_then(super::listing::timestamp);
        let expires = expires.map(|time| format!(", expires {time}")).unwrap_or_default();
        match origin.access_key_id {
            Some(id) => format!("from {} (access key {id}{expires})", origin.source),
            None => format!("a token, from {}", origin.source),
        }
    }
}

fn clock(by: Duration, service_ahead: bool) -> String {
    let way = if service_ahead { "ahead of" } else { "behind" };
    format!("the service's is {} {way} this machine's (good to about a second)", duration(by))
}

/// `1.2 ms (0.9 to 2.0)`.
fn times(times: Times) -> String {
    let [least, median, most] = [times.least, times.median, times.most].map(|time| time.as_secs_f64() * 1000.0);
    format!("{median:.1} ms ({least:.1} to {most:.1})")
}

/// What was tried, for people.
fn subject(subject: Subject) -> &'static str {
    match subject {
        Subject::Order => "listings in the order of bytes",
        Subject::PutIfAbsent => "put if nothing is there",
        Subject::PutIfMatch => "put if unchanged",
        Subject::CompleteConditions => "the same for uploads in parts",
        Subject::DeleteIfMatch => "delete if unchanged",
        Subject::BulkDelete => "delete many in one request",
        Subject::BulkDeleteIfMatch => "delete many if unchanged",
        Subject::Crc64Nvme => "CRC64NVME checked and kept",
        Subject::TwoParts => "an object of two parts",
        Subject::ShortPart => "parts under 5 MiB are refused",
        Subject::PartNumber => "part number 10,001 is refused",
    }
}

/// What follows, for people: capitals where an answer can't be trusted.
fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Yes => "yes",
        Verdict::No => "no",
        Verdict::Ignored => "IGNORED",
        Verdict::Differs => "DIFFERS",
        Verdict::Unknown => "unknown",
    }
}

impl Probed {
    fn conclusion(&self) -> String {
        let mut text = "\nA sync with this bucket\n".to_owned();
        for fact in Fact::ALL {
            let (before, after) = (self.before.of(fact), self.after.of(fact));
            let mark = if effect(fact, before) == effect(fact, after) { "" } else { "now" };
            // Writing into a string can't fail.
            let _ = writeln!(text, "  {mark:<4} {}", effect(fact, after));
        }
        for line in self.notes() {
            let _ = writeln!(text, "{line}");
        }
        text
    }

    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if !self.wrote {
            notes.push("Nothing was written. With --write, what takes writing is tried too.".to_owned());
        }
        if self.verdicts.contains(&Verdict::Ignored) {
            notes.push("IGNORED: a success was answered to what should have been refused.".to_owned());
        }
        if self.verdicts.contains(&Verdict::Differs) {
            let note = "DIFFERS: the same request is answered in different ways, as if several servers that differ stood \
                        behind one address.";
            notes.push(note.to_owned());
        }
        match (self.provider, self.contradicted) {
            (None, false) => {}
            (None, true) => notes.push(
                "Not all is as the provider promises: what turned out otherwise is not counted on any more.".to_owned(),
            ),
            (Some(provider), contradicted) => {
                let otherwise =
                    if contradicted { ", part of which turned out otherwise: better leave it out" } else { "" };
                notes.push(format!("With --provider {provider}, a sync goes by what that promises{otherwise}."));
            }
        }
        if let Some(path) = &self.kept_in {
            notes.push(format!("Remembered for 30 days in {}", path.display()));
        }
        notes
    }
}

/// What a sync does where it counts on a fact, and where it doesn't.
fn effect(fact: Fact, support: Support) -> &'static str {
    match (fact, support) {
        (Fact::ListsByBytes, Support::Yes) => "lists several ranges of keys at once",
        (Fact::ListsByBytes, Support::Unknown) => "lists from end to end, and looks whether the order is that of bytes",
        (Fact::ListsByBytes, Support::No) => "lists from end to end, and sorts what comes",
        (Fact::PutIfAbsent, Support::Yes) => "makes a new object only if nobody else has made one meanwhile",
        (Fact::PutIfAbsent, _) => {
            "makes a new object WITHOUT a condition: what somebody else made meanwhile is replaced"
        }
        (Fact::PutIfMatch, Support::Yes) => "replaces an object only if nobody else has changed it meanwhile",
        (Fact::PutIfMatch, _) => {
            "replaces an object WITHOUT a condition: what somebody else changed meanwhile is replaced"
        }
        (Fact::CompleteConditions, Support::Yes) => "keeps to the same conditions when it sends in parts",
        (Fact::CompleteConditions, _) => "sends in parts WITHOUT a condition",
        (Fact::CopyConditions, Support::Yes) => "keeps to the same conditions when it has the service copy",
        (Fact::CopyConditions, _) => {
            "looks at what is there before it has the service copy, as far as it keeps to conditions"
        }
        (Fact::DeleteIfMatch, Support::Yes) => "deletes an object only if nobody else has changed it meanwhile",
        (Fact::DeleteIfMatch, _) => "deletes an object WITHOUT a condition on what it is by then",
        (Fact::BulkDelete, Support::Yes) => "deletes up to 1,000 objects in one request",
        (Fact::BulkDelete, _) => "deletes objects one by one",
        (Fact::Crc64Nvme, Support::Yes) => "has what it sends checked by CRC64NVME",
        (Fact::Crc64Nvme, _) => "has what it sends checked by MD5",
    }
}
