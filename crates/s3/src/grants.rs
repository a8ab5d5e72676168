//! Who may do what with an object: its access control list, and how a write gives another object the same.

/// An object's access control list
/// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html>).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccessControlList {
    /// The object's owner, by the canonical id of the account.
    pub(crate) owner: String,
    pub(crate) grants: Vec<Grant>,
}

/// Somebody may do something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Grant {
    pub(crate) grantee: Grantee,
    /// As S3 names it: `READ`.
    pub(crate) permission: String,
}

/// Who is granted something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Grantee {
    /// An account, by its canonical id.
    Account(String),
    /// A group, by its URI.
    Group(String),
    /// An account, by its address: given once, S3 answers with the id.
    Email(String),
    /// Somebody whom the answer doesn't name so.
    Unnamed,
}

/// The grants that are written with an object: headers of the request, each with its grantees. None are needed where
/// all is its owner's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grants(Vec<(&'static str, String)>);

/// A grant that no header of a write can give.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GrantError {
    /// To whom is not said in a way that a header has.
    #[error(
        "its access control list grants {0} to somebody whom no header names: change it, or leave out --acl source"
    )]
    Grantee(String),
    /// What is granted is none of S3's permissions.
    #[error(
        "its access control list grants {0}, which is no permission that S3 knows: change it, or leave out --acl source"
    )]
    Permission(String),
}

/// The header of each permission
/// (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html#API_PutObject_RequestSyntax>).
const HEADERS: [(&str, &str); 4] = [
    (FULL_CONTROL, "x-amz-grant-full-control"),
    ("READ", "x-amz-grant-read"),
    ("READ_ACP", "x-amz-grant-read-acp"),
    ("WRITE_ACP", "x-amz-grant-write-acp"),
];

const FULL_CONTROL: &str = "FULL_CONTROL";

/// It is for buckets: of an object it allows nothing, and no header of a write gives it
/// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html#permissions>).
const OF_BUCKETS: &str = "WRITE";

impl AccessControlList {
    /// The same grants, to be written with another object.
    pub fn grants(&self) -> Result<Grants, GrantError> {
        if self.is_private() {
            return Ok(Grants::default());
        }
        let mut headers = HEADERS.map(|(_, header)| (header, String::new()));
        for Grant { grantee, permission } in self.effective() {
            let place = HEADERS.iter().position(|(name, _)| name == permission);
            let place = place.ok_or_else(|| GrantError::Permission(permission.clone()))?;
            let grantee = grantee.in_header().ok_or_else(|| GrantError::Grantee(permission.clone()))?;
            let grantees = &mut headers[place].1;
            if !grantees.is_empty() {
                grantees.push_str(", ");
            }
            grantees.push_str(&grantee);
        }
        Ok(Grants(headers.into_iter().filter(|(_, grantees)| !grantees.is_empty()).collect()))
    }

    /// Whether nobody but the owner is granted anything, as by default.
    fn is_private(&self) -> bool {
        self.effective().all(|grant| matches!(&grant.grantee, Grantee::Account(id) if *id == self.owner))
    }

    fn effective(&self) -> impl Iterator<Item = &Grant> {
        self.grants.iter().filter(|grant| grant.permission != OF_BUCKETS)
    }
}

impl Grantee {
    /// As a header names them: `id="…"`. `None` where it can't be said so.
    fn in_header(&self) -> Option<String> {
        let (kind, name) = match self {
            Self::Account(id) => ("id", id),
            Self::Group(uri) => ("uri", uri),
            Self::Email(address) => ("emailAddress", address),
            Self::Unnamed => return None,
        };
        (!name.contains('"')).then(|| format!("{kind}=\"{name}\""))
    }
}

impl Grants {
    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Names and values.
    pub(crate) fn headers(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.0.iter().map(|(name, grantees)| (*name, grantees.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVERYBODY: &str = "http://acs.amazonaws.com/groups/global/AllUsers";
    const READ_BY_ALL: (&str, &str) = ("x-amz-grant-read", "uri=\"http://acs.amazonaws.com/groups/global/AllUsers\"");

    /// What a list grants, and the headers that give it.
    type Row<'a> = (&'a [(Grantee, &'a str)], &'a [(&'a str, &'a str)]);

    fn account(id: &str) -> Grantee {
        Grantee::Account(id.to_owned())
    }

    fn everybody() -> Grantee {
        Grantee::Group(EVERYBODY.to_owned())
    }

    fn list(grants: &[(Grantee, &str)]) -> AccessControlList {
        let grant = |(grantee, permission): &(Grantee, &str)| Grant {
            grantee: grantee.clone(),
            permission: (*permission).to_owned(),
        };
        AccessControlList { owner: "me".to_owned(), grants: grants.iter().map(grant).collect() }
    }

    #[test]
    fn grants_are_written_as_headers() {
        let table: [Row<'_>; 7] = [
            (&[], &[]),
            (&[(account("me"), "FULL_CONTROL")], &[]),
            (&[(account("me"), "READ"), (account("me"), "WRITE_ACP")], &[]),
            // What `public-read-write` gives an object.
            (
                &[(account("me"), "FULL_CONTROL"), (everybody(), "READ"), (everybody(), "WRITE")],
                &[("x-amz-grant-full-control", "id=\"me\""), READ_BY_ALL],
            ),
            (&[(account("me"), "FULL_CONTROL"), (everybody(), "WRITE")], &[]),
            // The owner may have taken all from themselves.
            (&[(everybody(), "READ")], &[READ_BY_ALL]),
            (
                &[
                    (account("other"), "READ_ACP"),
                    (account("me"), "FULL_CONTROL"),
                    (account("other"), "WRITE_ACP"),
                    (account("other"), "FULL_CONTROL"),
                    (Grantee::Email("a@example.com".to_owned()), "READ_ACP"),
                ],
                &[
                    ("x-amz-grant-full-control", "id=\"me\", id=\"other\""),
                    ("x-amz-grant-read-acp", "id=\"other\", emailAddress=\"a@example.com\""),
                    ("x-amz-grant-write-acp", "id=\"other\""),
                ],
            ),
        ];
        for (grants, headers) in table {
            let written = list(grants).grants().unwrap();
            assert_eq!(written.headers().collect::<Vec<_>>(), headers, "{grants:?}");
            assert_eq!(written.is_empty(), headers.is_empty());
        }
    }

    #[test]
    fn what_no_header_gives_is_an_error() {
        let table = [
            ((everybody(), "DELETE"), GrantError::Permission("DELETE".to_owned())),
            ((Grantee::Unnamed, "READ"), GrantError::Grantee("READ".to_owned())),
            ((account("a\", id=\"b"), "READ"), GrantError::Grantee("READ".to_owned())),
        ];
        for (grant, error) in table {
            assert_eq!(list(&[(account("me"), "FULL_CONTROL"), grant]).grants(), Err(error));
        }
    }
}
