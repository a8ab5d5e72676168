//! `RestoreObject`: has the service bring an object back from an archive, so that it can be read.
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_RestoreObject.html>

use bytes::Bytes;
use http::{Method, StatusCode, header};

use crate::checksum::{Checksum, md5};
use crate::client::Bucket;
use crate::error::Error;
use crate::operations::Operation;
use crate::request::Request;

/// Which object, for how long, and how fast.
#[derive(Clone, Copy, Debug)]
pub struct RestoreObject<'a> {
    /// Its key.
    pub key: &'a str,
    /// Its version, where it needn't be the current one.
    pub version_id: Option<&'a str>,
    /// For how many days the copy that can be read stays; at least 1. `None` for what leaves the archive for good:
    /// objects of the class `INTELLIGENT_TIERING`.
    pub days: Option<u32>,
    /// How fast.
    pub tier: RetrievalTier,
}

/// How fast, and at what price, an object comes out of an archive
/// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/restoring-objects-retrieval-options.html>).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RetrievalTier {
    /// In 5 to 12 hours, from a deep archive in 48. The cheapest.
    Bulk,
    /// In 3 to 5 hours, from a deep archive in 12.
    #[default]
    Standard,
    /// In 1 to 5 minutes, and not from a deep archive.
    Expedited,
}

impl RetrievalTier {
    const fn name(self) -> &'static str {
        match self {
            Self::Bulk => "Bulk",
            Self::Standard => "Standard",
            Self::Expedited => "Expedited",
        }
    }
}

/// What became of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Restoring {
    /// It has begun.
    Begun,
    /// It had been asked for before, and isn't at its end.
    UnderWay,
    /// It was at its end already: the object can be read, for so many days more.
    Ready,
}

impl Bucket {
    /// Asks for an object in an archive.
    pub async fn restore_object(&self, restore: RestoreObject<'_>) -> Result<Restoring, Error> {
        let body = body(restore.days, restore.tier);
        let (name, value) = Checksum::Md5(md5(&body)).header();
        let request = Request::new(Operation::RestoreObject, Method::POST)
            .bucket(self.name())
            .key(restore.key)
            .query("restore", "");
        let request = self
            .of_version(request, restore.version_id)?
            .text_header(header::CONTENT_TYPE.as_str(), "application/xml")?
            .header(name, value)
            .body(body);
        let restoring = |status| if status == StatusCode::OK { Restoring::Ready } else { Restoring::Begun };
        match self.client().send_for(&request, |response| Ok(restoring(response.status))).await {
            Err(error) if error.code() == Some("RestoreAlreadyInProgress") => Ok(Restoring::UnderWay),
            answered => answered,
        }
    }
}

fn body(days: Option<u32>, tier: RetrievalTier) -> Bytes {
    let days = days.map_or_else(String::new, |days| format!("<Days>{days}</Days>"));
    let tier = tier.name();
    Bytes::from(format!(
        "<RestoreRequest xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">{days}<GlacierJobParameters><Tier>{tier}</Tier>\
         </GlacierJobParameters></RestoreRequest>"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_leaves_the_archive_for_good_has_no_days() {
        let start = "<RestoreRequest xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">";
        let end = "</GlacierJobParameters></RestoreRequest>";
        let table = [
            (Some(7), RetrievalTier::Bulk, "<Days>7</Days><GlacierJobParameters><Tier>Bulk</Tier>"),
            (None, RetrievalTier::Expedited, "<GlacierJobParameters><Tier>Expedited</Tier>"),
        ];
        for (days, tier, middle) in table {
            assert_eq!(body(days, tier), format!("{start}{middle}{end}"));
        }
    }
}
