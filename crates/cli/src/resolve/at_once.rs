//! `--jobs` and `--listers`: a number, or `auto`.

use std::str::FromStr;

use brigade_engine::job::AtOnce;

/// How many requests, or files, are in flight at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Jobs(pub(crate) AtOnce);

/// How many ranges are listed at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Listers(pub(crate) AtOnce);

impl FromStr for Jobs {
    type Err = String;

    /// Where nobody says how many, there are 64 at least: fewer are never faster. Through 50 ms, 512 send 10,000
    /// small objects a second.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        at_once(text, AtOnce::Growing { from: 64, to: 512 }, 100_000).map(Self)
    }
}

impl FromStr for Listers {
    type Err = String;

    /// Through 50 ms, each lists 20,000 keys a second. Each takes a few MiB, and a thread for as long as it walks a
    /// tree.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        at_once(text, AtOnce::Growing { from: 1, to: 16 }, 128).map(Self)
    }
}

fn at_once(text: &str, auto: AtOnce, most: usize) -> Result<AtOnce, String> {
    match text.parse() {
        _ if text == "auto" => Ok(auto),
        Ok(number) if (1..=most).contains(&number) => Ok(AtOnce::Exactly(number)),
        _ => Err(format!("it is a number from 1 to {most}, or auto")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_or_auto_is_read() {
        assert_eq!("auto".parse(), Ok(Listers(AtOnce::Growing { from: 1, to: 16 })));
        assert_eq!("auto".parse(), Ok(Jobs(AtOnce::Growing { from: 64, to: 512 })));
        assert_eq!("7".parse(), Ok(Listers(AtOnce::Exactly(7))));
        assert_eq!("700".parse(), Ok(Jobs(AtOnce::Exactly(700))));
        for text in ["0", "", "-1", "many", "1.5", "129"] {
            assert!(text.parse::<Listers>().is_err(), "{text}");
        }
        assert!("0".parse::<Jobs>().is_err() && "100001".parse::<Jobs>().is_err());
    }
}
