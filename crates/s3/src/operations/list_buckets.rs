//! `ListBuckets`: the buckets of an account.
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBuckets.html>

use http::Method;

use crate::client::{Client, Rejection};
use crate::error::{Error, ErrorKind};
use crate::operations::{Continuation, Endless, Operation};
use crate::request::Request;
use crate::xml::walk;

impl Client {
    /// The names of the buckets that belong to these credentials.
    pub async fn list_buckets(&self) -> Result<Vec<String>, Error> {
        let mut names = Vec::new();
        let mut continuation = Continuation::default();
        loop {
            let mut request = Request::new(Operation::ListBuckets, Method::GET);
            if let Some(token) = continuation.token() {
                request = request.query("continuation-token", token.to_owned());
            }
            let (page, next) = self.send_for(&request, |response| parse(&response.body)).await?;
            let follows = continuation.follow(page.is_empty(), page.first().map(String::as_str), next);
            names.extend(page);
            let endless =
                |endless: Endless| Error::local(ErrorKind::BadAnswer, Operation::ListBuckets, endless.to_string());
            if !follows.map_err(endless)? {
                return Ok(names);
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
