//! Which clients a service knows as the same.

use brigade_s3::{AccessKey, Client};

use crate::server::Server;

#[tokio::test]
async fn only_the_whole_id_of_a_key_tells_that_it_is_the_same() {
    let server = Server::start([]).await;
    let client = async |id: &str, secret: &str| {
        let access_key = AccessKey { id: id.to_owned(), secret: secret.to_owned(), session_token: None };
        let config = brigade_s3::Config { sign: true, access_key: Some(access_key), ..server.config() };
        Client::connect(config).await.unwrap()
    };
    let one = client("AKIA111111111111MPLE", "hush").await;
    assert!(one.is_known_as(&client("AKIA111111111111MPLE", "told otherwise").await));
    let other = client("AKIA222222222222MPLE", "hush").await;
    assert!(!one.is_known_as(&other), "both are shown as AKIA...MPLE");
    let nobody = Client::connect(server.config()).await.unwrap();
    assert!(!one.is_known_as(&nobody) && nobody.is_known_as(&nobody));
}
