//! The last line of a run: its exit code, and every figure of its summary.

use std::time::Duration;

use brigade_engine::events::Summary;
use brigade_store::RequestCount;
use serde::Serialize;

use super::{TakenUpField, line};
use crate::output::Report;
use crate::output::pruned::CountsField;
use crate::prices::{Cost, PriceList};

/// The last line.
pub(in crate::output) fn summary(report: &Report<'_>) -> String {
    line(&Body::Summary {
        exit_code: report.exit.code(),
        dry_run: report.dry_run,
        seconds: seconds(report.elapsed),
        error: report.error,
        counts: report.summary.map(|summary| Counts::new(summary, report)),
        pruned: report.pruned.map(CountsField::new),
    })
}

/// Seconds with three decimals.
fn seconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1000.0).round() / 1000.0
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Body<'a> {
    Summary {
        exit_code: u8,
        dry_run: bool,
        seconds: f64,
        #[serde(skip_serializing_if = "Option::is_none")]
        error: Option<&'a str>,
        #[serde(flatten)]
        counts: Option<Counts<'a>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        pruned: Option<CountsField>,
    },
}

/// The figures of a [`Summary`].
#[derive(Serialize)]
struct Counts<'a> {
    source_objects: u64,
    dest_objects: u64,
    in_step: u64,
    created: u64,
    replaced: u64,
    bytes: u64,
    unverified: u64,
    deleted: u64,
    extra: u64,
    deletions_held_back: u64,
    excluded: u64,
    held: u64,
    over_limit: u64,
    withdrawn: u64,
    skipped: u64,
    unrepresentable: u64,
    archived: u64,
    restoring: u64,
    ready: u64,
    failed: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    taken_up: Option<TakenUpField<'a>>,
    parts_taken_up: u64,
    requests: Vec<Requests<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cost: Option<CostField<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    forecast: Option<ForecastField<'a>>,
}

/// What requests cost. The amount is text: its digits are exact.
#[derive(Serialize)]
struct CostField<'a> {
    amount: String,
    currency: &'a str,
    price_list: &'a str,
    unpriced: u64,
}

impl<'a> CostField<'a> {
    fn of(requests: &[RequestCount], prices: Option<&'a PriceList>) -> Option<Self> {
        let Cost { list, amount, currency, unpriced } = prices?.cost(requests);
        Some(Self { amount: amount.exact(), currency, price_list: list, unpriced })
    }
}

/// What the run that a dry run is of would send.
#[derive(Serialize)]
struct ForecastField<'a> {
    requests: Vec<ForeseenRequests>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cost: Option<CostField<'a>>,
}

#[derive(Serialize)]
struct ForeseenRequests {
    operation: &'static str,
    requests: u64,
}

impl<'a> ForecastField<'a> {
    fn of(summary: &Summary, prices: Option<&'a PriceList>) -> Self {
        let counts = summary.forecast.counts();
        let foreseen = |count: &RequestCount| ForeseenRequests { operation: count.operation, requests: count.sent };
        Self { requests: counts.iter().map(foreseen).collect(), cost: CostField::of(&counts, prices) }
    }
}

#[derive(Serialize)]
pub(in crate::output) struct Requests<'a> {
    operation: &'a str,
    sent: u64,
    retries: u64,
}

impl<'a> Requests<'a> {
    pub(in crate::output) fn of(counts: &'a [RequestCount]) -> Vec<Self> {
        let requests = counts.iter();
        requests.map(|count| Self { operation: count.operation, sent: count.sent, retries: count.retries }).collect()
    }
}

impl<'a> Counts<'a> {
    fn new(summary: &'a Summary, report: &Report<'a>) -> Self {
        Self {
            source_objects: summary.source_objects,
            dest_objects: summary.dest_objects,
            in_step: summary.in_step,
            created: summary.created,
            replaced: summary.replaced,
            bytes: summary.bytes,
            unverified: summary.unverified,
            deleted: summary.deleted,
            extra: summary.extra,
            deletions_held_back: summary.deletions_held_back,
            excluded: summary.excluded,
            held: summary.held,
            over_limit: summary.over_limit,
            withdrawn: summary.withdrawn,
            skipped: summary.skipped,
            unrepresentable: summary.unrepresentable,
            archived: summary.archived,
            restoring: summary.restoring,
            ready: summary.ready,
            failed: summary.failed,
            taken_up: summary.taken_up.as_ref().map(TakenUpField::new),
            parts_taken_up: summary.parts_taken_up,
            requests: Requests::of(&summary.requests),
            cost: CostField::of(&summary.requests, report.prices),
            forecast: report.dry_run.then(|| ForecastField::of(summary, report.prices)),
        }
    }
}

#[cfg(test)]
mod tests {
    use brigade_engine::events::TakenUp;
    use brigade_store::{Forecast, Key};

    use super::*;
    use crate::exit::Exit;
    use crate::output::Task;

    #[test]
    fn the_summary_has_every_figure_and_the_exit_code() {
        let sums = Summary {
            source_objects: 1,
            dest_objects: 2,
            in_step: 3,
            created: 4,
            replaced: 5,
            bytes: 6,
            unverified: 7,
            deleted: 8,
            extra: 9,
            deletions_held_back: 10,
            excluded: 11,
            held: 12,
            over_limit: 13,
            withdrawn: 14,
            skipped: 15,
            unrepresentable: 16,
            archived: 20,
            restoring: 21,
            ready: 22,
            failed: 17,
            taken_up: Some(TakenUp { through: Some(Some(Key::from("k"))), ranges: 2, failed: 1, spooled: 2 }),
            parts_taken_up: 19,
            requests: vec![RequestCount { operation: "PutObject", sent: 18, retries: 1 }],
            forecast: Forecast::default(),
        };
        let elapsed = Duration::from_micros(1_500_400);
        let report = Report {
            exit: Exit::Incomplete,
            task: Task::Sync,
            dry_run: false,
            elapsed,
            summary: Some(&sums),
            error: None,
            prices: None,
            pruned: None,
        };
        assert_eq!(
            summary(&report),
            "{\"version\":1,\"type\":\"summary\",\"exit_code\":3,\"dry_run\":false,\"seconds\":1.5,\"source_objects\":1,\
             \"dest_objects\":2,\"in_step\":3,\"created\":4,\"replaced\":5,\"bytes\":6,\"unverified\":7,\"deleted\":8,\
             \"extra\":9,\"deletions_held_back\":10,\"excluded\":11,\"held\":12,\"over_limit\":13,\"withdrawn\":14,\
             \"skipped\":15,\"unrepresentable\":16,\"archived\":20,\"restoring\":21,\"ready\":22,\"failed\":17,\
             \"taken_up\":{\"listed\":false,\"key\":\"k\",\"ranges\":2,\"failed\":1,\"spooled\":2},\"parts_taken_up\":19,\
             \"requests\":[{\"operation\":\"PutObject\",\"sent\":18,\"retries\":1}]}\n"
        );
        let prices = PriceList::of_s3();
        let cost = "{\"amount\":\"0.00009\",\"currency\":\"USD\",\
                    \"price_list\":\"S3's list price (Standard, us-east-1)\",\"unpriced\":0}";
        let with_cost = summary(&Report { prices: Some(&prices), ..report });
        assert!(with_cost.ends_with(&format!("\"retries\":1}}],\"cost\":{cost}}}\n")), "{with_cost}");
        let mut foreseen = sums.clone();
        foreseen.forecast.add("PutObject", 18);
        let foreseen = summary(&Report { dry_run: true, prices: Some(&prices), summary: Some(&foreseen), ..report });
        let forecast = format!("{{\"requests\":[{{\"operation\":\"PutObject\",\"requests\":18}}],\"cost\":{cost}}}");
        assert!(foreseen.ends_with(&format!(",\"cost\":{cost},\"forecast\":{forecast}}}\n")), "{foreseen}");
        let broken_off = Report { exit: Exit::CouldNotRun, summary: None, error: Some("no network"), ..report };
        assert_eq!(
            summary(&broken_off),
            "{\"version\":1,\"type\":\"summary\",\"exit_code\":1,\"dry_run\":false,\"seconds\":1.5,\"error\":\"no network\"}\n"
        );
    }
}
