//! `GetBucketVersioning`: whether a bucket keeps what is replaced and removed.
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketVersioning.html>

use http::Method;

use crate::client::Bucket;
use crate::error::Error;
use crate::operations::Operation;
use crate::request::Request;
use crate::xml::{XmlError, walk};

/// Whether a bucket keeps what is replaced and removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Versioning {
    /// It doesn't and never did.
    Never,
    /// All of it.
    Enabled,
    /// What was written while it was enabled. What is written now has the id `null`, and
    /// replaces what had it before.
    Suspended,
}

impl Versioning {
    /// As S3 writes it; nothing for [`Versioning::Never`].
    pub(super) const fn written(self) -> &'static str {
        match self {
            Self::Never => "",
            Self::Enabled => "Enabled",
            Self::Suspended => "Suspended",
        }
    }
}

impl Bucket {
    /// Asks whether the bucket keeps versions.
    pub async fn get_bucket_versioning(&self) -> Result<Versioning, Error> {
        let request =
            Request::new(Operation::GetBucketVersioning, Method::GET).bucket(self.name()).query("versioning", "");
        self.client().send_for(&request, |response| Ok(parse(&response.body)?)).await
    }
}

fn parse(document: &[u8]) -> Result<Versioning, XmlError> {
    let mut versioning = Versioning::Never;
    let mut is_configuration = false;
    walk(document, |path, text| {
        match path {
            "VersioningConfiguration/Status" | "GetBucketVersioningResponse/Status" => {
                let known = [Versioning::Never, Versioning::Enabled, Versioning::Suspended].into_iter();
                let unknown = || XmlError(format!("the status of the versioning is {text:?}"));
                versioning = known.clone().find(|status| status.written() == text).ok_or_else(unknown)?;
            }
            // The second is what moto calls it (5.2.5).
            "VersioningConfiguration" | "GetBucketVersioningResponse" => is_configuration = true,
            _ => {}
        }
        Ok(())
    })?;
    if is_configuration { Ok(versioning) } else { Err(XmlError("it is no VersioningConfiguration".to_owned())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_is_read() {
        let parse = |inside: &str| {
            parse(format!("<VersioningConfiguration xmlns=\"x\">{inside}</VersioningConfiguration>").as_bytes()).ok()
        };
        assert_eq!(parse(""), Some(Versioning::Never));
        assert_eq!(parse("<Status/>"), Some(Versioning::Never));
        assert_eq!(parse("<Status>Enabled</Status><MfaDelete>Disabled</MfaDelete>"), Some(Versioning::Enabled));
        assert_eq!(parse("<Status>Suspended</Status>"), Some(Versioning::Suspended));
        assert_eq!(parse("<Status>Off</Status>"), None);
        let moto = b"<GetBucketVersioningResponse><Status>Enabled</Status></GetBucketVersioningResponse>";
        assert_eq!(super::parse(moto).ok(), Some(Versioning::Enabled));
        assert!(super::parse(b"<Html/>").is_err());
    }
}
