//! A list of prices from a file (`docs/formats/price-list.md`).

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use brigade_store::is_unprintable;
use brigade_store::s3::RequestClass;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::{Price, PriceList};

/// The only version that there is.
const VERSION: u64 = 1;

/// The most that 1,000 requests may cost: far beyond any price, and no sum overflows.
const DEAREST: f64 = 1_000_000.0;

/// The longest name that is shown.
const LONGEST_NAME: usize = 100;

/// Why a file is no list of prices.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PriceListError {
    /// It can't be read.
    #[error("could not read the price list {path}: {reason}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        reason: std::io::Error,
    },
    /// It says something else; with the line and the column.
    #[error("the price list {path}: {reason}; docs/formats/price-list.md says what one looks like")]
    Wrong {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        reason: serde_json::Error,
    },
}

/// Bytes that are read of a file: a list has a few hundred.
const LONGEST: u64 = 1 << 20;

/// Reads a list of prices.
pub(crate) fn read(path: &Path) -> Result<PriceList, PriceListError> {
    let mut text = Vec::new();
    let read = fs::File::open(path).and_then(|file| file.take(LONGEST).read_to_end(&mut text));
    read.map_err(|reason| PriceListError::Unreadable { path: path.to_owned(), reason })?;
    parse(&text).map_err(|reason| PriceListError::Wrong { path: path.to_owned(), reason })
}

fn parse(text: &[u8]) -> Result<PriceList, serde_json::Error> {
    let File { version: (), name, currency, per_1000_requests: Prices { classes, operations } } =
        serde_json::from_slice(text)?;
    Ok(PriceList { name, currency, classes, operations })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(deserialize_with = "version")]
    version: (),
    #[serde(deserialize_with = "name")]
    name: String,
    #[serde(deserialize_with = "currency")]
    currency: String,
    per_1000_requests: Prices,
}

struct Prices {
    classes: BTreeMap<RequestClass, Price>,
    operations: BTreeMap<String, Price>,
}

impl<'de> Deserialize<'de> for Prices {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(PricesVisitor)
    }
}

struct PricesVisitor;

impl<'de> Visitor<'de> for PricesVisitor {
    type Value = Prices;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("prices by operation or class")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Prices, M::Error> {
        let mut prices = Prices { classes: BTreeMap::new(), operations: BTreeMap::new() };
        // What is wrong with a name is said before its price is read: so it is told with its line.
        while let Some(name) = map.next_key::<String>()? {
            let class = class(&name);
            if class.is_none() && RequestClass::of(&name).is_none() {
                return Err(M::Error::custom(format!(
                    "{name:?} is no operation that is sent, by S3's name (PutObject, ListObjectsV2), and no class \
                     (writes, lists, reads, deletes)"
                )));
            }
            let is_known = match class {
                Some(class) => prices.classes.contains_key(&class),
                None => prices.operations.contains_key(&name),
            };
            if is_known {
                return Err(M::Error::custom(format!("{name:?} has two prices")));
            }
            let price = map.next_value()?;
            match class {
                Some(class) => drop(prices.classes.insert(class, price)),
                None => drop(prices.operations.insert(name, price)),
            }
        }
        Ok(prices)
    }
}

fn class(name: &str) -> Option<RequestClass> {
    Some(match name {
        "writes" => RequestClass::Write,
        "lists" => RequestClass::List,
        "reads" => RequestClass::Read,
        "deletes" => RequestClass::Delete,
        _ => return None,
    })
}

impl<'de> Deserialize<'de> for Price {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_f64(PriceVisitor)
    }
}

struct PriceVisitor;

impl Visitor<'_> for PriceVisitor {
    type Value = Price;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a price as a number")
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Price, E> {
        #[expect(clippy::cast_precision_loss, reason = "what is so large that it is rounded is refused")]
        self.visit_f64(number as f64)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Price, E> {
        #[expect(clippy::cast_precision_loss, reason = "what is so large that it is rounded is refused")]
        self.visit_f64(number as f64)
    }

    /// The shortest decimals that stand for the number are the ones that were written, up to 15 digits.
    fn visit_f64<E: Error>(self, number: f64) -> Result<Price, E> {
        if !(0.0..=DEAREST).contains(&number) {
            return Err(E::custom(format!("the price {number} is not between 0 and {DEAREST}")));
        }
        let text = number.abs().to_string();
        let (whole, decimals) = text.split_once('.').unwrap_or((&text, ""));
        let billionths = if decimals.len() <= 9 { format!("{whole}{decimals:0<9}").parse().ok() } else { None };
        billionths.map(Price).ok_or_else(|| E::custom(format!("the price {number} has more than 9 decimals")))
    }
}

fn version<'de, D: Deserializer<'de>>(deserializer: D) -> Result<(), D::Error> {
    match u64::deserialize(deserializer)? {
        VERSION => Ok(()),
        other => Err(D::Error::custom(format!("its version is {other}, and this program knows {VERSION}"))),
    }
}

/// A short line that a terminal can show.
fn name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let name = String::deserialize(deserializer)?;
    let is_fit = !name.is_empty() && name.chars().count() <= LONGEST_NAME && !name.contains(is_unprintable);
    let wrong = || D::Error::custom(format!("a name has 1 to {LONGEST_NAME} characters that can be shown"));
    is_fit.then_some(name).ok_or_else(wrong)
}

/// As ISO 4217 has them.
fn currency<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let currency = String::deserialize(deserializer)?;
    let is_code = currency.len() == 3 && currency.bytes().all(|byte| byte.is_ascii_uppercase());
    is_code.then_some(currency).ok_or_else(|| D::Error::custom("a currency is three capital letters, such as USD"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = include_str!("../../../../docs/formats/price-list.md");

    fn with_prices(prices: &str) -> String {
        format!("{{\"version\":1,\n\"name\":\"n\",\"currency\":\"USD\",\n\"per_1000_requests\":{{\n{prices}\n}}}}")
    }

    #[test]
    fn the_list_in_the_document_is_the_built_in_one() {
        let example = DOCUMENT.split("```json\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
        let read = parse(example.as_bytes()).unwrap();
        assert_eq!(read, PriceList::of_s3());
    }

    #[test]
    fn prices_are_taken_to_the_last_digit() {
        let table = [
            ("0", 0),
            ("0.005", 5_000_000),
            ("0.0004", 400_000),
            ("0.000000001", 1),
            ("1e-9", 1),
            ("4.5", 4_500_000_000),
            ("-0.0", 0),
            ("12345.678901234", 12_345_678_901_234),
            ("1000000", 1_000_000_000_000_000),
        ];
        for (written, billionths) in table {
            let list = parse(with_prices(&format!("\"reads\": {written}")).as_bytes()).unwrap();
            assert_eq!(list.classes, [(RequestClass::Read, Price(billionths))].into(), "{written}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        let prices = |prices| with_prices(prices);
        let table = [
            (prices("\"putObject\": 1"), "\"putObject\" is no operation", "line 4"),
            (prices("\"reads\": 1, \"reads\": 2"), "\"reads\" has two prices", "line 4"),
            (prices("\"reads\": -1"), "-1 is not between 0 and 1000000", "line 4"),
            (prices("\"reads\": 1000001"), "is not between 0", "line 4"),
            (prices("\"reads\": 0.0000000001"), "more than 9 decimals", "line 4"),
            (prices("\"reads\": \"1\""), "invalid type: string", "line 4"),
            (prices("\"reads\": 1e999"), "number out of range", "line 4"),
            (prices("\"reads\": 1").replace("USD", "dollars"), "three capital letters", "line 2"),
            (prices("\"reads\": 1").replace("\"n\"", "\"\\u001b[31m\""), "characters that can be shown", "line 2"),
            (prices("\"reads\": 1").replace("\"n\"", "\"\""), "characters that can be shown", "line 2"),
            (prices("\"reads\": 1").replace(":1,\n", ":2,\n"), "its version is 2", "line 1"),
            (prices("\"reads\": 1").replace("currency", "coin"), "unknown field `coin`", "line 2"),
            ("{\"version\":1}".to_owned(), "missing field `name`", "line 1"),
            ("prices".to_owned(), "expected", "line 1"),
        ];
        for (text, part, line) in table {
            let reason = parse(text.as_bytes()).unwrap_err().to_string();
            assert!(reason.contains(part) && reason.contains(line), "{text}: {reason}");
        }
    }
}
