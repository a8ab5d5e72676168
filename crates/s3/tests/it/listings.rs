//! Listings end, whatever the service says.

use brigade_s3::{Client, ErrorKind, ListObjectsV2};

use crate::server::{Reaction, Server, answer};

fn page(token: &str) -> Reaction {
    let body = format!(
        "<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>{token}</NextContinuationToken>\
         </ListBucketResult>"
    );
    answer("200 OK", "", &body)
}

#[tokio::test]
async fn a_truncated_page_without_a_token_is_an_error() {
    let server = Server::start([page(""), page(""), page("")]).await;
    let error = server.bucket().await.list_objects_v2(ListObjectsV2::default()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadAnswer);
    assert!(error.to_string().contains("without a NextContinuationToken"), "{error}");
    server.finish().await;
}

#[tokio::test]
async fn a_list_of_buckets_that_goes_on_where_it_began_is_an_error() {
    let body = "<ListAllMyBucketsResult><Buckets><Bucket><Name>a</Name></Bucket></Buckets>\
        <ContinuationToken>t</ContinuationToken></ListAllMyBucketsResult>";
    let server = Server::start([0; 2].map(|_| answer("200 OK", "", body))).await;
    let error = Client::connect(server.config()).await.unwrap().list_buckets().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadAnswer);
    assert!(error.to_string().contains("the service repeats its continuation token"), "{error}");
    let lines: Vec<String> = server.finish().await.into_iter().map(|request| request.line).collect();
    assert_eq!(lines[0], "GET / HTTP/1.1");
    assert!(lines[1..].iter().all(|line| line == "GET /?continuation-token=t HTTP/1.1"), "{lines:?}");
}
