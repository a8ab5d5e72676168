//! What keeps a version from being deleted: pure.
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html>

use std::time::SystemTime;

use http::StatusCode;
use s3s::dto::{ObjectLockMode, ObjectLockRetentionMode, Timestamp};
use s3s::{S3Result, s3_error};
use serde::{Deserialize, Serialize};

use crate::errors;

/// The lock of a version.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Lock {
    /// Until when it is retained, and whether nobody may delete it before
    /// (`COMPLIANCE`), or some may (`GOVERNANCE`).
    pub(crate) retention: Option<(String, Timestamp)>,
    pub(crate) legal_hold: bool,
}

impl Lock {
    /// What the headers of a request that writes ask for.
    pub(crate) fn asked(mode: Option<&str>, until: Option<Timestamp>, hold: Option<&str>) -> S3Result<Self> {
        let retention = match (mode, until) {
            (None, None) => None,
            (Some(mode), Some(until)) => Some(checked(mode, until)?),
            _ => {
                return Err(s3_error!(
                    InvalidArgument,
                    "x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied"
                ));
            }
        };
        Ok(Self { retention, legal_hold: hold == Some("ON") })
    }

    /// Whether there is anything that it keeps, or kept, from being deleted.
    pub(crate) fn is_set(&self) -> bool {
        self.retention.is_some() || self.legal_hold
    }

    /// Whether the version may be deleted, by somebody who bypasses governance or not.
    pub(crate) fn check_deletion(&self, bypass: bool) -> S3Result<()> {
        let now = Timestamp::from(SystemTime::now());
        let bypassed = |mode: &str| bypass && mode == ObjectLockMode::GOVERNANCE;
        let retained = self.retention.as_ref().is_some_and(|(mode, until)| *until > now && !bypassed(mode));
        if self.legal_hold || retained {
            let message = "Access Denied because object protected by object lock.";
            return Err(errors::error(StatusCode::FORBIDDEN, "AccessDenied", message));
        }
        Ok(())
    }
}

/// A retention of a mode that there is, and of a time to come.
pub(crate) fn checked(mode: &str, until: Timestamp) -> S3Result<(String, Timestamp)> {
    if !matches!(mode, ObjectLockRetentionMode::GOVERNANCE | ObjectLockRetentionMode::COMPLIANCE) {
        return Err(s3_error!(InvalidArgument, "Unknown wormMode directive."));
    }
    if until <= Timestamp::from(SystemTime::now()) {
        return Err(s3_error!(InvalidArgument, "The retain until date must be in the future!"));
    }
    Ok((mode.to_owned(), until))
}

/// Takes the lock out of an input that brings one.
macro_rules! given_lock {
    ($input:expr) => {
        crate::object_lock::Lock::asked(
            $input.object_lock_mode.take().as_ref().map(|mode| mode.as_str()),
            $input.object_lock_retain_until_date.take(),
            $input.object_lock_legal_hold_status.take().as_ref().map(|status| status.as_str()),
        )
    };
}

pub(crate) use given_lock;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_is_locked_is_not_deleted() {
        let later = || Some(Timestamp::from(SystemTime::now() + Duration::from_hours(1)));
        let deletes = |lock: Lock, bypass| lock.check_deletion(bypass).is_ok();
        let governance = Lock::asked(Some("GOVERNANCE"), later(), None).unwrap();
        let compliance = Lock::asked(Some("COMPLIANCE"), later(), None).unwrap();
        let held = Lock::asked(None, None, Some("ON")).unwrap();
        let over = Lock {
            retention: Some(("COMPLIANCE".to_owned(), Timestamp::from(SystemTime::UNIX_EPOCH))),
            ..Lock::default()
        };
        assert_eq!((deletes(governance.clone(), false), deletes(governance, true)), (false, true));
        assert_eq!((deletes(compliance.clone(), false), deletes(compliance, true)), (false, false));
        assert_eq!((deletes(held, true), deletes(over, false), deletes(Lock::default(), false)), (false, true, true));
        assert!(Lock::asked(Some("GOVERNANCE"), None, None).is_err());
        assert!(Lock::asked(Some("FOREVER"), later(), None).is_err());
        assert!(Lock::asked(Some("GOVERNANCE"), Some(Timestamp::from(SystemTime::UNIX_EPOCH)), None).is_err());
    }
}
