//! `--listers`: a number, or `auto`.

use std::str::FromStr;

use brigade_engine::job;

/// Listers at most where nobody says how many. Through 50 ms of latency, each lists 20,000 keys a second.
const AUTO: usize = 16;

/// Each takes a few MiB, and a thread for as long as it walks a tree.
const MOST: usize = 128;

/// How many ranges are listed at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Listers(pub(crate) job::Listers);

impl FromStr for Listers {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.parse() {
            _ if text == "auto" => Ok(Self(job::Listers::UpTo(AUTO))),
            Ok(number @ 1..=MOST) => Ok(Self(job::Listers::Exactly(number))),
            _ => Err(format!("it is a number from 1 to {MOST}, or auto")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_or_auto_is_read() {
        assert_eq!("auto".parse(), Ok(Listers(job::Listers::UpTo(AUTO))));
        assert_eq!("7".parse(), Ok(Listers(job::Listers::Exactly(7))));
        for text in ["0", "", "-1", "many", "1.5", "129"] {
            assert!(text.parse::<Listers>().is_err(), "{text}");
        }
    }
}
