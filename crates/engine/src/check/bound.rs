//! How sure a sample makes: the most that can be bad of all, if so many of so many that were looked at are.

/// The upper end of the one-sided Clopper-Pearson interval: with this confidence
/// (above 0, below 1), no larger share than this is bad where `bad` of `checked` objects are that were drawn
/// at random. 1 where nothing was checked.
///
/// It solves P(X <= bad) = 1 - confidence for X binomial
/// (<https://en.wikipedia.org/wiki/Binomial_proportion_confidence_interval#Clopper%E2%80%93Pearson_interval>). The
/// sample is drawn without putting anything back, so that the true bound is lower: this one errs on the safe side.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "of counts beyond 2^53, the last digits make no difference")]
pub fn most_bad(checked: u64, bad: u64, confidence: f64) -> f64 {
    if bad >= checked {
        return 1.0;
    }
    let (of, alpha) = (checked as f64, 1.0 - confidence);
    if bad == 0 {
        // (1 - p)^n = alpha, as it is exact for the smallest shares.
        return -f64::exp_m1(alpha.ln() / of);
    }
    let tail = Tail::new(of, bad);
    let (mut low, mut high) = (bad as f64 / of, 1.0);
    // The tail falls as the share grows. Each step halves what is left: these are enough for any double.
    for _ in 0..200 {
        let middle = f64::midpoint(low, high);
        if tail.ln_at(middle) > alpha.ln() {
            low = middle;
        } else {
            high = middle;
        }
    }
    high
}

/// P(X <= bad) of a binomial, in logarithms: the terms themselves are beyond any double.
struct Tail {
    of: f64,
    bad: u64,
    /// The logarithm of the number of ways to choose the bad ones.
    ln_ways: f64,
}

#[expect(clippy::cast_precision_loss, reason = "as above")]
impl Tail {
    fn new(of: f64, bad: u64) -> Self {
        let good = of - bad as f64;
        let ln_ways = (1..=bad).map(|one| ((good + one as f64) / one as f64).ln()).sum();
        Self { of, bad, ln_ways }
    }

    fn ln_at(&self, share: f64) -> f64 {
        let bad = self.bad as f64;
        let last = self.ln_ways + bad * share.ln() + (self.of - bad) * f64::ln_1p(-share);
        // Each term in the measure of the last one: above the mean, they fall the faster the further away.
        let (mut term, mut sum) = (1.0, 1.0);
        for one in (1..=self.bad).rev() {
            let one = one as f64;
            term *= one / (self.of - one + 1.0) * (1.0 - share) / share;
            sum += term;
            if term < sum * f64::EPSILON {
                break;
            }
        }
        last + sum.ln()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Against the same, worked out with whole binomial coefficients and 60 digits; the first two are those that
    /// tables of the interval print (2.951 %, 4.656 %).
    #[test]
    fn the_bound_is_that_of_clopper_and_pearson() {
        let table = [
            (100, 0, 0.95, 0.029_513_049_6),
            (100, 1, 0.95, 0.046_559_811_5),
            (10, 0, 0.95, 0.258_865_550_9),
            (10, 3, 0.95, 0.606_624_216_1),
            (20, 2, 0.975, 0.316_982_714_0),
            (1000, 0, 0.95, 0.002_991_249_5),
            (1000, 0, 0.99, 0.004_594_582_6),
            (1000, 7, 0.95, 0.013_107_715_4),
            (300, 150, 0.9, 0.538_572_477_6),
        ];
        for (checked, bad, confidence, expected) in table {
            let found = most_bad(checked, bad, confidence);
            assert!((found - expected).abs() < 1e-9, "{bad} of {checked}: {found}, not {expected}");
        }
    }

    #[test]
    fn where_nothing_is_known_everything_may_be_bad() {
        for (checked, bad) in [(0, 0), (1, 1), (7, 7)] {
            assert!((most_bad(checked, bad, 0.95) - 1.0).abs() < f64::EPSILON, "{bad} of {checked}");
        }
    }

    /// The tail that it was solved for, summed up term by term.
    #[test]
    fn the_tail_at_the_bound_is_what_confidence_leaves() {
        for (checked, bad, confidence) in [(50u32, 1u32, 0.95), (50, 20, 0.9), (400, 7, 0.99), (60, 59, 0.95)] {
            let share = most_bad(checked.into(), bad.into(), confidence);
            let mut term = (1.0 - share).powi(i32::try_from(checked).unwrap());
            let mut tail = term;
            for one in 1..=bad {
                term *= f64::from(checked - one + 1) / f64::from(one) * share / (1.0 - share);
                tail += term;
            }
            assert!((tail - (1.0 - confidence)).abs() < 1e-9, "{bad} of {checked}: {tail}");
        }
    }

    #[test]
    fn more_that_is_checked_bounds_closer_and_counts_of_any_size_have_a_bound() {
        let bounds = [10, 100, 10_000, 1_000_000, 1_000_000_000].map(|checked| most_bad(checked, 5, 0.95));
        assert!(bounds.is_sorted_by(|one, other| one > other), "{bounds:?}");
        // The bound approaches (k + 1.645 sqrt k) / n for many.
        let many = most_bad(1_000_000_000, 1_000_000, 0.95);
        assert!((many - 0.001_001_64).abs() < 1e-8, "{many}");
    }
}
