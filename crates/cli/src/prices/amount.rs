//! An amount of money, exactly, and as people read it.

use crate::output::figures::count;

/// How many of the smallest unit make one of the currency: prices are billionths, and for a thousand.
const ONE: u128 = 1_000_000_000_000;

/// How many decimals that has.
const DECIMALS: u32 = 12;

/// An amount, in billionths of a thousandth of the currency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Amount(u128);

impl Amount {
    /// Adds the price of so many requests, of which a thousand cost so many billionths.
    pub(super) fn add(&mut self, requests: u64, of_a_thousand: u64) {
        self.0 += u128::from(requests) * u128::from(of_a_thousand);
    }

    /// All of its digits: `0.100105`.
    pub(crate) fn exact(self) -> String {
        self.with(DECIMALS).trim_end_matches('0').trim_end_matches('.').to_owned()
    }

    /// As people read it: two decimals, and below a tenth two digits that say something, so that nothing that costs
    /// shows as nothing: `$1,234.50`, `$0.0051`, `EUR 0.10`.
    pub(crate) fn rounded(self, currency: &str) -> String {
        let mut decimals = 2;
        while decimals < DECIMALS && self.0 > 0 && self.0 < ONE / 10_u128.pow(decimals - 1) {
            decimals += 1;
        }
        let step = 10_u128.pow(DECIMALS - decimals);
        let text = Self((self.0 + step / 2) / step * step).with(decimals);
        let (whole, decimals) = text.split_once('.').unwrap_or((&text, ""));
        let (cents, finer) = decimals.split_at(decimals.len().min(2));
        let whole = whole.parse().map_or_else(|_| whole.to_owned(), count);
        let amount = format!("{whole}.{cents}{}", finer.trim_end_matches('0'));
        if currency == "USD" { format!("${amount}") } else { format!("{currency} {amount}") }
    }

    /// With so many decimals, 12 at most; what is finer is cut off.
    fn with(self, decimals: u32) -> String {
        let step = 10_u128.pow(DECIMALS - decimals);
        let width = decimals as usize;
        format!("{}.{:0width$}", self.0 / ONE, self.0 % ONE / step)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_costs_shows_as_nothing() {
        let table = [
            (0, "$0.00", "0"),
            (1, "$0.000000000001", "0.000000000001"),
            (400_000, "$0.0000004", "0.0000004"),
            (5_000_000, "$0.000005", "0.000005"),
            (5_040_000_000, "$0.005", "0.00504"),
            (5_060_000_000, "$0.0051", "0.00506"),
            (9_999_000_000, "$0.01", "0.009999"),
            (99_900_000_000, "$0.10", "0.0999"),
            (100_105_000_000, "$0.10", "0.100105"),
            (999_000_000_000, "$1.00", "0.999"),
            (1_234_495_000_000_000, "$1,234.50", "1234.495"),
        ];
        for (units, rounded, exact) in table {
            assert_eq!(Amount(units).rounded("USD"), rounded, "{units}");
            assert_eq!(Amount(units).exact(), exact, "{units}");
        }
        assert_eq!(Amount(ONE / 10).rounded("EUR"), "EUR 0.10");
    }

    #[test]
    fn the_dearest_requests_there_can_be_are_added_up() {
        let mut amount = Amount::default();
        amount.add(u64::MAX, u64::MAX);
        assert!(amount.rounded("USD").starts_with("$340282366920938463426481119.28"), "{}", amount.rounded("USD"));
    }
}
