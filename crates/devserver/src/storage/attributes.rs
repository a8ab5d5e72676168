//! What is said of an object beside its headers, and may be changed later.

use std::time::{Duration, SystemTime};

use s3s::dto::Timestamp;
use serde::{Deserialize, Serialize};

use crate::acl::Acl;
use crate::encryption::Encryption;
use crate::object_lock::Lock;
use crate::tags::Tags;

/// What is said of an object, or of one of its versions.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Attributes {
    pub(crate) tags: Tags,
    pub(crate) encryption: Encryption,
    pub(crate) acl: Acl,
    pub(crate) lock: Lock,
    /// Until when a copy of an archived object can be read.
    pub(crate) restored_until: Option<Timestamp>,
}

/// Takes the attributes of an object out of an input that brings them.
macro_rules! take_attributes {
    ($input:expr) => {
        crate::storage::Attributes {
            tags: crate::tags::Tags::parse($input.tagging.take().as_deref().unwrap_or_default())?,
            encryption: crate::encryption::Encryption::asked(
                $input.server_side_encryption.take().as_ref(),
                $input.ssekms_key_id.take(),
                crate::encryption::given_key!($input)?,
            )?,
            acl: crate::acl::given_acl!($input)?,
            lock: crate::object_lock::given_lock!($input)?,
            ..Default::default()
        }
    };
}

pub(crate) use take_attributes;

impl Attributes {
    /// Whether a copy of an archived object can be read now.
    pub(crate) fn is_restored(&self) -> bool {
        self.restored_until.as_ref().is_some_and(|until| *until > Timestamp::from(SystemTime::now()))
    }

    /// Restores an archived object for so many days.
    pub(crate) fn restore(&mut self, days: u32) {
        let duration = Duration::from_hours(24 * u64::from(days));
        self.restored_until = Some(Timestamp::from(SystemTime::now() + duration));
    }
}
