//! Access control lists as requests give and answers show them. They are kept, and decide
//! nothing: there is one account.

use s3s::dto::{Grant, Grantee, ObjectCannedACL, Permission, Type};
use s3s::{S3Result, s3_error};
use serde::{Deserialize, Serialize};

/// The id of the one account.
pub(crate) const OWNER: &str = "brigade";

const EVERYBODY: &str = "http://acs.amazonaws.com/groups/global/AllUsers";
const AUTHENTICATED: &str = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers";

/// Who was given what.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Acl(Vec<Granted>);

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Granted {
    to: To,
    permission: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum To {
    /// An account, by its canonical id.
    Account(String),
    /// A group, by its URI.
    Group(String),
}

impl Acl {
    /// What the headers of a request give, the canned one or the grants one by one: those of
    /// `x-amz-grant-full-control`, `-read`, `-read-acp` and `-write-acp`. Without any, it is
    /// the owner's alone, for which an empty list stands.
    /// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html>
    pub(crate) fn asked(canned: Option<&ObjectCannedACL>, grants: [Option<String>; 4]) -> S3Result<Self> {
        let permissions = [Permission::FULL_CONTROL, Permission::READ, Permission::READ_ACP, Permission::WRITE_ACP];
        let mut list = Vec::new();
        for (permission, header) in permissions.into_iter().zip(grants) {
            for grantee in header.iter().flat_map(|header| header.split(',')) {
                list.push(Granted { to: To::named(grantee)?, permission: permission.to_owned() });
            }
        }
        match canned.map(ObjectCannedACL::as_str) {
            None => Ok(Self(list)),
            Some(_) if !list.is_empty() => {
                Err(s3_error!(InvalidRequest, "Specifying both Canned ACLs and Header Grants is not allowed"))
            }
            Some(canned) => Self::canned(canned),
        }
    }

    fn canned(name: &str) -> S3Result<Self> {
        let group = match name {
            ObjectCannedACL::PRIVATE
            | ObjectCannedACL::BUCKET_OWNER_FULL_CONTROL
            | ObjectCannedACL::BUCKET_OWNER_READ => return Ok(Self::default()),
            ObjectCannedACL::PUBLIC_READ => vec![(EVERYBODY, Permission::READ)],
            ObjectCannedACL::PUBLIC_READ_WRITE => vec![(EVERYBODY, Permission::READ), (EVERYBODY, Permission::WRITE)],
            ObjectCannedACL::AUTHENTICATED_READ => vec![(AUTHENTICATED, Permission::READ)],
            _ => return Err(s3_error!(InvalidArgument, "There is no such canned ACL.")),
        };
        let granted = |(uri, permission): (&str, &str)| Granted {
            to: To::Group(uri.to_owned()),
            permission: permission.to_owned(),
        };
        Ok(Self([vec![owners()], group.into_iter().map(granted).collect()].concat()))
    }

    /// What the body of a `PutObjectAcl` gives.
    pub(crate) fn from_grants(grants: Vec<Grant>) -> S3Result<Self> {
        let granted = |grant: Grant| {
            let grantee = grant.grantee.as_ref();
            let account = grantee.and_then(|it| it.id.clone()).map(To::Account);
            let to = account.or_else(|| grantee?.uri.clone().map(To::Group));
            let (Some(to), Some(permission)) = (to, grant.permission) else {
                return Err(s3_error!(MalformedACLError, "A grant is to an account or a group, and of a permission."));
            };
            Ok(Granted { to, permission: permission.as_str().to_owned() })
        };
        Ok(Self(grants.into_iter().map(granted).collect::<S3Result<_>>()?))
    }

    /// As an answer shows them.
    pub(crate) fn to_grants(&self) -> Vec<Grant> {
        if self.0.is_empty() { vec![owners().shown()] } else { self.0.iter().map(Granted::shown).collect() }
    }
}

/// The owner's own.
fn owners() -> Granted {
    Granted { to: To::Account(OWNER.to_owned()), permission: Permission::FULL_CONTROL.to_owned() }
}

impl To {
    /// The grantee of a header: `id="…"` or `uri="…"`.
    fn named(text: &str) -> S3Result<Self> {
        match text.trim().split_once('=').map(|(kind, name)| (kind, name.trim_matches('"').to_owned())) {
            Some(("id", id)) => Ok(Self::Account(id)),
            Some(("uri", uri)) => Ok(Self::Group(uri)),
            _ => Err(s3_error!(InvalidArgument, "Argument format not recognized")),
        }
    }
}

impl Granted {
    fn shown(&self) -> Grant {
        let (kind, id, uri) = match &self.to {
            To::Account(id) => (Type::CANONICAL_USER, Some(id.clone()), None),
            To::Group(uri) => (Type::GROUP, None, Some(uri.clone())),
        };
        let grantee =
            Grantee { display_name: id.clone(), email_address: None, id, type_: Type::from_static(kind), uri };
        Grant { grantee: Some(grantee), permission: Some(Permission::from(self.permission.clone())) }
    }
}

/// Takes the access control list out of an input that brings one.
macro_rules! given_acl {
    ($input:expr) => {
        crate::acl::Acl::asked(
            $input.acl.take().as_ref(),
            [
                $input.grant_full_control.take(),
                $input.grant_read.take(),
                $input.grant_read_acp.take(),
                $input.grant_write_acp.take(),
            ],
        )
    };
}

pub(crate) use given_acl;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_and_bodies_say_the_same() {
        let canned = Acl::asked(Some(&ObjectCannedACL::from_static("public-read")), Default::default()).unwrap();
        let headers = [Some(format!("id=\"{OWNER}\"")), Some(format!("uri=\"{EVERYBODY}\"")), None, None];
        assert_eq!(Acl::asked(None, headers.clone()).unwrap(), canned);
        assert_eq!(Acl::from_grants(canned.to_grants()).unwrap(), canned);
        assert!(Acl::asked(Some(&ObjectCannedACL::from_static("private")), headers).is_err(), "both");
        assert!(Acl::asked(Some(&ObjectCannedACL::from_static("secret")), Default::default()).is_err());
        assert!(Acl::asked(None, [Some("somebody".to_owned()), None, None, None]).is_err());
    }

    #[test]
    fn without_any_it_is_the_owners() {
        let shown = Acl::default().to_grants();
        let ids: Vec<_> = shown.into_iter().map(|grant| grant.grantee.unwrap().id.unwrap()).collect();
        assert_eq!(ids, [OWNER]);
    }
}
