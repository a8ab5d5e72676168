//! `--max-delete`: a number of objects, or a share of the destination's.

use std::str::FromStr;

use brigade_engine::job::DeleteLimit;

/// The value of `--max-delete`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct MaxDelete(pub(crate) DeleteLimit);

/// What isn't a limit for deletions.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("write a number of objects, or a share of the destination's from 0% to 100%")]
pub(crate) struct MaxDeleteError;

impl FromStr for MaxDelete {
    type Err = MaxDeleteError;

    fn from_str(text: &str) -> Result<Self, MaxDeleteError> {
        let Some(share) = text.strip_suffix('%') else {
            return text.parse().map(|objects| Self(DeleteLimit::Objects(objects))).map_err(|_| MaxDeleteError);
        };
        let percent: f64 = share.parse().map_err(|_| MaxDeleteError)?;
        // A range that holds, so that NaN and infinities are out as well.
        if (0.0..=100.0).contains(&percent) && !share.starts_with(['+', '-']) {
            Ok(Self(DeleteLimit::Percent(percent)))
        } else {
            Err(MaxDeleteError)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_read_as_written() {
        let table = [
            ("0", Some(DeleteLimit::Objects(0))),
            ("100", Some(DeleteLimit::Objects(100))),
            ("0%", Some(DeleteLimit::Percent(0.0))),
            ("10%", Some(DeleteLimit::Percent(10.0))),
            ("0.5%", Some(DeleteLimit::Percent(0.5))),
            ("100%", Some(DeleteLimit::Percent(100.0))),
            ("100.1%", None),
            ("-1", None),
            ("-0%", None),
            ("-1%", None),
            ("NaN%", None),
            ("inf%", None),
            ("1.5", None),
            ("10 %", None),
            ("%", None),
            ("", None),
            ("ten", None),
        ];
        for (text, limit) in table {
            assert_eq!(text.parse().ok().map(|MaxDelete(limit)| limit), limit, "{text:?}");
        }
    }
}
