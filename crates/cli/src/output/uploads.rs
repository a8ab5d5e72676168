//! What `brigade cleanup` found and did, as lines for a person or for a program.

mod event;

use std::time::Duration;

use brigade_engine::cleanup::{Judged, UploadCounts, UploadOutcome};
use brigade_store::RequestCount;

use super::figures::{count, counted, duration};
use super::streams::{Streams, To, Tone};
use super::text::named;
use crate::arguments::Format;
use crate::exit::Exit;

/// How results are shown.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shown {
    /// For whom.
    pub(crate) format: Format,
    /// Whether ids are shown, and uploads that are left alone.
    pub(crate) verbose: bool,
    /// Whether nothing is really done.
    pub(crate) dry_run: bool,
}

/// How it ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cleaned<'a> {
    /// The exit code.
    pub(crate) exit: Exit,
    /// Why it didn't come to its end.
    pub(crate) error: Option<&'a str>,
    /// What came of the uploads that were found.
    pub(crate) counts: UploadCounts,
    /// The age from which they were to be aborted.
    pub(crate) older_than: Duration,
    /// What was sent.
    pub(crate) requests: &'a [RequestCount],
}

impl Shown {
    /// Says what came of an upload.
    pub(crate) fn tell(self, streams: &mut Streams, judged: &Judged) {
        if self.format == Format::Json {
            streams.text(To::Out, &event::upload(judged));
        }
        let described = self.described(judged);
        let word = match &judged.outcome {
            UploadOutcome::Failed(failure) => {
                let rest = format!("{described}: {}", failure.reason);
                return streams.line(To::Err, Tone::Failure, "failed:", &rest);
            }
            UploadOutcome::Young if self.verbose => "leave",
            UploadOutcome::Aborted if self.dry_run => "would abort",
            UploadOutcome::Aborted => "abort",
            UploadOutcome::Young => return,
        };
        if self.format == Format::Text {
            streams.line(To::Out, Tone::Plain, word, &described);
        }
    }

    /// `KEY (begun 3 h 10 min ago, upload ID)`.
    fn described(self, judged: &Judged) -> String {
        let age = judged.age.map(|age| format!("begun {} ago", duration(age)));
        let id = self.verbose.then(|| format!("upload {}", judged.upload.id));
        let details: Vec<String> = age.into_iter().chain(id).collect();
        let key = named(&judged.upload.key);
        if details.is_empty() { key } else { format!("{key} ({})", details.join(", ")) }
    }

    /// The last lines, with their end.
    pub(crate) fn summary(self, cleaned: &Cleaned<'_>) -> String {
        match self.format {
            Format::Json => event::summary(cleaned, self.dry_run),
            // The reason on standard error says it all.
            Format::Text if cleaned.error.is_some() && cleaned.counts.found() == 0 => String::new(),
            Format::Text => format!("{}\n{}\n", self.totals(cleaned), self.conclusion(cleaned)),
        }
    }

    /// `5 uploads under way: 2 aborted, 2 left alone (begun less than 36 h 00 min ago), 1 failed`.
    fn totals(self, cleaned: &Cleaned<'_>) -> String {
        let UploadCounts { aborted, young, failed } = cleaned.counts;
        let found = counted(cleaned.counts.found(), "upload");
        let less = duration(cleaned.older_than);
        let done = if self.dry_run { "to abort" } else { "aborted" };
        let young_ones = format!("left alone (begun less than {less} ago)");
        let parts = [(aborted, done, true), (young, &young_ones, false), (failed, "failed", false)];
        let parts: Vec<String> = parts
            .into_iter()
            .filter(|(number, _, always)| *always || *number > 0)
            .map(|(number, what, _)| format!("{} {what}", count(number)))
            .collect();
        format!("{found} under way: {}", parts.join(", "))
    }

    fn conclusion(self, cleaned: &Cleaned<'_>) -> String {
        match cleaned.exit {
            Exit::InStep if self.dry_run => "Dry run: nothing was changed.".to_owned(),
            Exit::InStep => "Cleaned up.".to_owned(),
            exit => format!("Not cleaned up (exit code {}): {exit}.", exit.code()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use brigade_store::{Failure, FailureKind, OpenUpload};

    use super::*;
    use crate::output::written::Written;

    fn judged(key: &str, outcome: UploadOutcome) -> Judged {
        let initiated = Some(UNIX_EPOCH + Duration::from_secs(1_706_933_106));
        let upload = OpenUpload { key: key.into(), id: "i\u{9b}".to_owned(), initiated };
        Judged { upload, age: Some(Duration::from_mins(190)), outcome }
    }

    fn failed() -> UploadOutcome {
        UploadOutcome::Failed(Failure::new(FailureKind::Denied, "no"))
    }

    /// What is said of it on both streams.
    fn told(shown: Shown, judged: &Judged) -> String {
        let written = Written::default();
        shown.tell(&mut Streams::to_writers(written.clone(), written.clone()), judged);
        written.text()
    }

    #[test]
    fn people_read_what_was_done() {
        let plain = Shown { format: Format::Text, verbose: false, dry_run: false };
        let verbose = Shown { verbose: true, ..plain };
        let dry = Shown { dry_run: true, ..plain };
        let table = [
            (plain, judged("k", UploadOutcome::Aborted), "abort k (begun 3 h 10 min ago)\n"),
            (dry, judged("k", UploadOutcome::Aborted), "would abort k (begun 3 h 10 min ago)\n"),
            (verbose, judged("k", UploadOutcome::Aborted), "abort k (begun 3 h 10 min ago, upload i\\u{9b})\n"),
            (plain, judged("k", UploadOutcome::Young), ""),
            (verbose, judged("k", UploadOutcome::Young), "leave k (begun 3 h 10 min ago, upload i\\u{9b})\n"),
            (plain, judged("", failed()), "failed: (the prefix itself) (begun 3 h 10 min ago): no\n"),
            (plain, Judged { age: None, ..judged("k\n", failed()) }, "failed: k\\n: no\n"),
        ];
        for (shown, judged, expected) in table {
            assert_eq!(told(shown, &judged), expected, "{judged:?}");
        }
    }

    #[test]
    fn programs_read_json() {
        let json = Shown { format: Format::Json, verbose: false, dry_run: false };
        let start = r#"{"version":1,"type":"upload","key":"k","upload_id":"i\u009b","initiated":"2024-02-03T04:05:06Z","age_seconds":11400"#;
        let young = told(json, &judged("k", UploadOutcome::Young));
        assert_eq!(young, format!("{start},\"outcome\":\"young\"}}\n"));
        let failed = told(json, &judged("k", failed()));
        let lines: Vec<&str> = failed.lines().collect();
        assert_eq!(lines[0], format!("{start},\"outcome\":\"failed\",\"kind\":\"denied\",\"reason\":\"no\"}}"));
        assert_eq!(lines[1], "failed: k (begun 3 h 10 min ago): no");
    }

    #[test]
    fn the_summary_adds_up() {
        let counts = UploadCounts { aborted: 2, young: 1, failed: 0 };
        let older_than = Duration::from_hours(36);
        let cleaned = Cleaned { exit: Exit::InStep, error: None, counts, older_than, requests: &[] };
        let plain = Shown { format: Format::Text, verbose: false, dry_run: false };
        let totals = "3 uploads under way: 2 aborted, 1 left alone (begun less than 36 h 00 min ago)\n";
        assert_eq!(plain.summary(&cleaned), format!("{totals}Cleaned up.\n"));
        let some_failed =
            Cleaned { exit: Exit::Incomplete, counts: UploadCounts { aborted: 0, young: 0, failed: 1 }, ..cleaned };
        let expected = "1 upload under way: 0 aborted, 1 failed\nNot cleaned up (exit code 3): incomplete.\n";
        assert_eq!(plain.summary(&some_failed), expected);
        let dry = Shown { dry_run: true, ..plain };
        assert!(dry.summary(&cleaned).contains(": 2 to abort, 1 left"));
        assert!(dry.summary(&cleaned).ends_with("Dry run: nothing was changed.\n"));
        let broken =
            Cleaned { exit: Exit::CouldNotRun, error: Some("why"), counts: UploadCounts::default(), ..cleaned };
        assert_eq!(plain.summary(&broken), "");
        let json = Shown { format: Format::Json, ..plain };
        let expected = r#"{"version":1,"type":"summary","exit_code":1,"dry_run":false,"error":"why","found":0,"aborted":0,"young":0,"failed":0,"requests":[]}"#;
        assert_eq!(json.summary(&broken).trim_end(), expected);
    }
}
