//! `--percent` and `--confidence`: shares in percent, with or without the sign.

use std::str::FromStr;

/// The value of `--percent`: above 0, at most 100.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Percent(pub(crate) f64);

/// The value of `--confidence`: above 0, below 100; held as a share of 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Confidence(pub(crate) f64);

impl FromStr for Percent {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        percent(text)
            .filter(|percent| *percent <= 100.0)
            .map(Self)
            .ok_or("write a share above 0, up to 100: 1, 0.5, 10%")
    }
}

impl FromStr for Confidence {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let percent = percent(text).filter(|percent| *percent < 100.0);
        percent.map(|percent| Self(percent / 100.0)).ok_or("write a confidence above 0 and below 100: 95, 99.9%")
    }
}

/// A number above zero, in percent.
fn percent(text: &str) -> Option<f64> {
    let number = text.strip_suffix('%').unwrap_or(text);
    let percent: f64 = number.parse().ok().filter(|_| number.starts_with(|first: char| first.is_ascii_digit()))?;
    (percent > 0.0 && percent.is_finite()).then_some(percent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_read_with_and_without_their_sign() {
        let table = [
            ("1", Some(1.0), Some(0.01)),
            ("0.5%", Some(0.5), Some(0.005)),
            ("95", Some(95.0), Some(0.95)),
            ("100", Some(100.0), None),
            ("100.1", None, None),
            ("0", None, None),
            ("-1", None, None),
            ("+1", None, None),
            ("NaN", None, None),
            ("inf", None, None),
            ("1 %", None, None),
            ("", None, None),
            ("%", None, None),
        ];
        for (text, percent, confidence) in table {
            assert_eq!(text.parse::<Percent>().ok(), percent.map(Percent), "{text}");
            assert_eq!(text.parse::<Confidence>().ok(), confidence.map(Confidence), "{text}");
        }
    }
}
