//! `ListBuckets`: the buckets of an account.
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBuckets.html>

use http::Method;

use super::list_objects_v2::goes_on;
use crate::client::{Client, Rejection};
use crate::error::Error;
use crate::operations::Operation;
use crate::request::Request;
use crate::xml::walk;

impl Client {
    /// The names of the buckets that belong to these credentials.
    pub async fn list_buckets(&self) -> Result<Vec<String>, Error> {
        let mut names = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let mut request = Request::new(Operation::ListBuckets, Method::GET);
            if let Some(token) = &token {
                request = request.query("continuation-token", token.as_str());
            }
            let read = |document: &[u8]| {
                let (page, next) = parse(document)?;
                goes_on(token.as_deref(), next.as_deref())?;
                Ok((page, next))
            };
            let (page, next) = self.send_for(&request, |response| read(&response.body)).await?;
            names.extend(page);
            match next {
                Some(next) => token = Some(next),
                None => return Ok(names),
            }
        }
    }
}

fn parse(document: &[u8]) -> Result<(Vec<String>, Option<String>), Rejection> {
    let (mut names, mut next, mut is_result) = (Vec::new(), None, false);
    walk(document, |path, text| {
        match path {
            "ListAllMyBucketsResult/Buckets/Bucket/Name" => names.push(text.to_owned()),
            "ListAllMyBucketsResult/ContinuationToken" if !text.is_empty() => next = Some(text.to_owned()),
            "ListAllMyBucketsResult" => is_result = true,
            _ => {}
        }
        Ok(())
    })?;
    if is_result { Ok((names, next)) } else { Err(Rejection::Unreadable("the answer lists no buckets".to_owned())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_the_next_page_are_read() {
        let answer = b"<ListAllMyBucketsResult><Owner><ID>x</ID></Owner><Buckets><Bucket><Name>a</Name></Bucket>\
            <Bucket><Name>b</Name></Bucket></Buckets><ContinuationToken>t</ContinuationToken></ListAllMyBucketsResult>";
        assert_eq!(parse(answer).unwrap(), (vec!["a".to_owned(), "b".to_owned()], Some("t".to_owned())));
        assert!(parse(b"<Html/>").is_err());
    }
}
