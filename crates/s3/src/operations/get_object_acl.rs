//! `GetObjectAcl`: who may do what with an object.
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectAcl.html>

use http::Method;

use crate::client::{Bucket, Rejection};
use crate::error::Error;
use crate::grants::{AccessControlList, Grant, Grantee};
use crate::operations::Operation;
use crate::request::Request;
use crate::xml::walk;

impl Bucket {
    /// An object's access control list.
    pub async fn get_object_acl(&self, key: &str, version_id: Option<&str>) -> Result<AccessControlList, Error> {
        let request = Request::new(Operation::GetObjectAcl, Method::GET).bucket(self.name()).key(key).query("acl", "");
        let request = self.of_version(request, version_id)?;
        self.client().send_for(&request, |response| parse(&response.body)).await
    }
}

/// The list is complete only if the answer has one: something else must not be taken for an object that is private.
fn parse(document: &[u8]) -> Result<AccessControlList, Rejection> {
    let mut list = AccessControlList::default();
    let (mut grantee, mut permission, mut is_whole) = (Grantee::Unnamed, String::new(), false);
    walk(document, |path, text| {
        match path {
            "AccessControlPolicy/Owner/ID" => text.clone_into(&mut list.owner),
            "AccessControlPolicy/AccessControlList/Grant/Grantee/ID" => grantee = Grantee::Account(text.to_owned()),
            "AccessControlPolicy/AccessControlList/Grant/Grantee/URI" => grantee = Grantee::Group(text.to_owned()),
            "AccessControlPolicy/AccessControlList/Grant/Grantee/EmailAddress" => {
                grantee = Grantee::Email(text.to_owned());
            }
            "AccessControlPolicy/AccessControlList/Grant/Permission" => text.clone_into(&mut permission),
            "AccessControlPolicy/AccessControlList/Grant" => {
                let grantee = std::mem::replace(&mut grantee, Grantee::Unnamed);
                list.grants.push(Grant { grantee, permission: std::mem::take(&mut permission) });
            }
            "AccessControlPolicy/AccessControlList" => is_whole = true,
            _ => {}
        }
        Ok(())
    })?;
    if is_whole { Ok(list) } else { Err(Rejection::Unreadable("the answer has no AccessControlList".to_owned())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// S3's own answers, with grantees of each kind.
    const ANSWER: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<AccessControlPolicy xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
  <Owner><ID>owner</ID><DisplayName>me</DisplayName></Owner>
  <AccessControlList>
    <Grant>
      <Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="CanonicalUser">
        <ID>owner</ID><DisplayName>me</DisplayName>
      </Grantee>
      <Permission>FULL_CONTROL</Permission>
    </Grant>
    <Grant>
      <Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="Group">
        <URI>http://acs.amazonaws.com/groups/global/AllUsers</URI>
      </Grantee>
      <Permission>READ</Permission>
    </Grant>
    <Grant>
      <Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="AmazonCustomerByEmail">
        <EmailAddress>a@example.com</EmailAddress>
      </Grantee>
      <Permission>READ_ACP</Permission>
    </Grant>
    <Grant><Grantee/><Permission>WRITE_ACP</Permission></Grant>
  </AccessControlList>
</AccessControlPolicy>"#;

    #[test]
    fn grantees_of_each_kind_are_read() {
        let grant = |grantee, permission: &str| Grant { grantee, permission: permission.to_owned() };
        let expected = AccessControlList {
            owner: "owner".to_owned(),
            grants: vec![
                grant(Grantee::Account("owner".to_owned()), "FULL_CONTROL"),
                grant(Grantee::Group("http://acs.amazonaws.com/groups/global/AllUsers".to_owned()), "READ"),
                grant(Grantee::Email("a@example.com".to_owned()), "READ_ACP"),
                grant(Grantee::Unnamed, "WRITE_ACP"),
            ],
        };
        assert_eq!(parse(ANSWER.as_bytes()).unwrap(), expected);
    }

    #[test]
    fn nothing_else_is_taken_for_an_empty_list() {
        let owner = "<Owner><ID>owner</ID></Owner>";
        let empty = format!("<AccessControlPolicy>{owner}<AccessControlList/></AccessControlPolicy>");
        assert_eq!(parse(empty.as_bytes()).unwrap().grants, []);
        for other in ["<Tagging/>".to_owned(), format!("<AccessControlPolicy>{owner}</AccessControlPolicy>")] {
            assert!(parse(other.as_bytes()).is_err(), "{other}");
        }
        assert!(parse(&ANSWER.as_bytes()[..ANSWER.len() - 30]).is_err(), "cut off");
    }
}
