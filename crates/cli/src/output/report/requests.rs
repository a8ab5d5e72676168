//! The rows of the requests: how many of what kind, what they cost, and what a dry run foresees.

use std::fmt::Write;

use brigade_engine::events::Summary;
use brigade_store::RequestCount;

use super::Report;
use crate::output::figures::{count, counted};
use crate::prices::PriceList;

/// What was sent and, of a dry run, what the run itself would send. None if nothing was.
pub(super) fn rows(text: &mut String, report: &Report<'_>, summary: &Summary) {
    row(text, ["requests", "cost"], &summary.requests, report.prices);
    if report.dry_run {
        row(text, ["would send", "would cost"], &summary.forecast.counts(), report.prices);
    }
}

fn row(text: &mut String, [label, cost]: [&str; 2], requests: &[RequestCount], prices: Option<&PriceList>) {
    if requests.is_empty() {
        return;
    }
    let _ = writeln!(text, "{label:<10} {:>12}  {}", count(total(requests)), kinds(requests));
    if let Some(prices) = prices {
        let of = prices.cost(requests);
        let unpriced = match of.unpriced {
            0 => String::new(),
            unpriced => format!("; it has no price for {}", counted(unpriced, "request")),
        };
        let amount = of.amount.rounded(of.currency);
        let _ = writeln!(text, "{cost:<10} {amount:>12}  about, at {}, requests only{unpriced}", of.list);
    }
}

fn total(requests: &[RequestCount]) -> u64 {
    requests.iter().map(|request| request.sent).sum()
}

/// `ListObjectsV2 1, PutObject 12 (2 retries)`.
fn kinds(requests: &[RequestCount]) -> String {
    let kinds: Vec<String> = requests
        .iter()
        .map(|request| match request.retries {
            0 => format!("{} {}", request.operation, count(request.sent)),
            retries => format!("{} {} ({})", request.operation, count(request.sent), counted(retries, "retry")),
        })
        .collect();
    kinds.join(", ")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use brigade_store::Forecast;

    use super::*;
    use crate::exit::Exit;
    use crate::output::Task;

    #[test]
    fn what_was_sent_and_what_would_be_have_their_costs() {
        let requests = vec![RequestCount { operation: "ListObjectsV2", sent: 21, retries: 1 }];
        let mut forecast = Forecast::default();
        forecast.add_sent(&requests);
        forecast.add("PutObject", 20_001);
        let summary = Summary { requests, forecast, ..Summary::default() };
        let prices = PriceList::of_s3();
        let shown = |dry_run, prices| {
            let (exit, elapsed, summary) = (Exit::InStep, Duration::ZERO, &summary);
            let mut text = String::new();
            rows(
                &mut text,
                &Report { exit, task: Task::Sync, dry_run, elapsed, summary: None, error: None, prices, pruned: None },
                summary,
            );
            text
        };
        let sent = "requests             21  ListObjectsV2 21 (1 retry)\n";
        let cost = "cost           $0.00011  about, at S3's list price (Standard, us-east-1), requests only\n";
        let to_come = "would send       20,021  ListObjectsV2 20, PutObject 20,001\n";
        let to_pay = "would cost        $0.10  about, at S3's list price (Standard, us-east-1), requests only\n";
        assert_eq!(shown(false, None), sent);
        assert_eq!(shown(false, Some(&prices)), format!("{sent}{cost}"));
        assert_eq!(shown(true, None), format!("{sent}{to_come}"));
        assert_eq!(shown(true, Some(&prices)), format!("{sent}{cost}{to_come}{to_pay}"));
    }

    #[test]
    fn what_has_no_price_is_said() {
        let mut text = String::new();
        let requests = [
            RequestCount { operation: "GetObject", sent: 1, retries: 0 },
            RequestCount { operation: "RestoreObject", sent: 2, retries: 0 },
        ];
        row(&mut text, ["requests", "cost"], &requests, Some(&PriceList::of_s3()));
        assert!(text.ends_with("requests only; it has no price for 2 requests\n"), "{text}");
    }
}
