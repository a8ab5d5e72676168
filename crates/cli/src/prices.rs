//! What requests cost by a list of prices: exactly, in whole units of the
//! smallest size, so that no sum drifts.

mod amount;
mod file;

use std::collections::BTreeMap;

use brigade_store::RequestCount;
use brigade_store::s3::RequestClass;

pub(crate) use amount::Amount;
pub(crate) use file::{PriceListError, read};

/// What 1,000 requests of a kind cost, in billionths of the currency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Price(u64);

/// A list of prices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PriceList {
    /// What it is called, for people.
    name: String,
    /// The currency's code: `USD`.
    currency: String,
    classes: BTreeMap<RequestClass, Price>,
    /// By S3's names. They go before the prices of classes.
    operations: BTreeMap<String, Price>,
}

/// What requests cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cost<'a> {
    /// The list that says so.
    pub(crate) list: &'a str,
    /// Of all that the list has a price for.
    pub(crate) amount: Amount,
    /// The currency's code.
    pub(crate) currency: &'a str,
    /// Requests that the list has no price for.
    pub(crate) unpriced: u64,
}

impl PriceList {
    /// Amazon's own, of S3 Standard in US East (N. Virginia): $0.005 for 1,000 PUT, COPY, POST or LIST requests,
    /// $0.0004 for 1,000 GET, SELECT and all other requests, nothing for DELETE and CANCEL requests
    /// (<https://aws.amazon.com/s3/pricing/>, as of November 2026). Other regions and storage classes cost more.
    pub(crate) fn of_s3() -> Self {
        let classes = [
            (RequestClass::Write, Price(5_000_000)),
            (RequestClass::List, Price(5_000_000)),
            (RequestClass::Read, Price(400_000)),
            (RequestClass::Delete, Price(0)),
        ];
        Self {
            name: "S3's list price (Standard, us-east-1)".to_owned(),
            currency: "USD".to_owned(),
            classes: classes.into(),
            operations: BTreeMap::new(),
        }
    }

    /// What these requests cost, retries included.
    pub(crate) fn cost(&self, requests: &[RequestCount]) -> Cost<'_> {
        let (mut amount, mut unpriced) = (Amount::default(), 0);
        for request in requests {
            match self.price(request.operation) {
                Some(Price(of_a_thousand)) => amount.add(request.sent, of_a_thousand),
                None => unpriced += request.sent,
            }
        }
        Cost { list: &self.name, amount, currency: &self.currency, unpriced }
    }

    fn price(&self, operation: &str) -> Option<Price> {
        let own = self.operations.get(operation);
        own.or_else(|| self.classes.get(&RequestClass::of(operation)?)).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(operation: &'static str, sent: u64) -> RequestCount {
        RequestCount { operation, sent, retries: 0 }
    }

    #[test]
    fn requests_cost_what_their_class_costs() {
        let list = PriceList::of_s3();
        let table: [(&[RequestCount], &str); 5] = [
            (&[sent("PutObject", 20_001), sent("ListObjectsV2", 20)], "0.100105"),
            (&[sent("GetObject", 1), sent("HeadObject", 1)], "0.0000008"),
            (&[sent("DeleteObjects", 1_000), sent("AbortMultipartUpload", 1)], "0"),
            (&[sent("UploadPart", 3_000_000_000)], "15000"),
            (&[], "0"),
        ];
        for (requests, exact) in table {
            let cost = list.cost(requests);
            assert_eq!((cost.amount.exact().as_str(), cost.unpriced), (exact, 0), "{requests:?}");
        }
    }

    #[test]
    fn an_operations_own_price_goes_before_that_of_its_class_and_what_has_none_is_counted() {
        let list = PriceList {
            classes: [(RequestClass::Write, Price(1_000_000_000))].into(),
            operations: [("UploadPart".to_owned(), Price(0))].into(),
            ..PriceList::of_s3()
        };
        let cost =
            list.cost(&[sent("PutObject", 500), sent("UploadPart", 7), sent("GetObject", 3), sent("HeadObject", 2)]);
        assert_eq!((cost.amount.exact().as_str(), cost.unpriced), ("0.5", 5));
    }
}
