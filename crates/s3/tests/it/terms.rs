//! With what an upload in parts is begun: its digest tells it from one that would be begun otherwise.

use brigade_s3::{Client, Config, CreateMultipartUpload, CustomerKey, Encryption, NewHeaders, Provider, Writing};

use crate::server::{Server, answer};

/// The digest of a client that has this of its own.
async fn terms_of(config: Config, headers: NewHeaders<'_>) -> [u8; 32] {
    let bucket = Client::connect(config).await.unwrap().bucket("b");
    bucket.multipart_terms(CreateMultipartUpload { key: "k", headers }).unwrap()
}

#[tokio::test]
async fn each_of_them_makes_another_digest() {
    let policy = |permission: &str| {
        let grantee = "<Grantee><URI>http://acs.amazonaws.com/groups/global/AllUsers</URI></Grantee>";
        answer(
            "200 OK",
            "",
            &format!(
                "<AccessControlPolicy><Owner><ID>o</ID></Owner><AccessControlList><Grant>{grantee}\
                 <Permission>{permission}</Permission></Grant></AccessControlList></AccessControlPolicy>"
            ),
        )
    };
    let server = Server::start([policy("READ"), policy("READ_ACP")]).await;
    let bucket = server.bucket().await;
    let [read, read_acp] = [bucket.get_object_acl("k", None).await, bucket.get_object_acl("k", None).await]
        .map(|list| list.unwrap().grants().unwrap());

    let said = |text: &str| Some(text.to_owned());
    let writing = |writing| Config { writing, ..server.config() };
    let encryption = |how| writing(Writing { encryption: Some(how), ..Writing::default() });
    let customer_key = |key| Config { customer_key: Some(CustomerKey::new([key; 32])), ..server.config() };
    let configs = [
        server.config(),
        Config { provider: Some(Provider::Unknown), ..server.config() },
        writing(Writing { storage_class: said("STANDARD_IA"), ..Writing::default() }),
        writing(Writing { storage_class: said("GLACIER_IR"), ..Writing::default() }),
        writing(Writing { acl: said("public-read"), ..Writing::default() }),
        writing(Writing { tagging: said("a=1"), ..Writing::default() }),
        encryption(Encryption::Aes256),
        encryption(Encryption::Kms(None)),
        encryption(Encryption::Kms(said("k1"))),
        encryption(Encryption::KmsTwice(said("k1"))),
        customer_key(1),
        customer_key(2),
    ];
    let none = NewHeaders::default();
    let objects = [
        NewHeaders { content_type: Some("text/plain"), ..none },
        NewHeaders { content_type: Some("text/html"), ..none },
        NewHeaders { others: &[("cache-control", "no-store".to_owned())], ..none },
        NewHeaders { others: &[("content-language", "no-store".to_owned())], ..none },
        NewHeaders { metadata: &[("a", "b"), ("c", "d")], ..none },
        NewHeaders { metadata: &[("a", "bc"), ("c", "d")], ..none },
        NewHeaders { storage_class: Some("ONEZONE_IA"), ..none },
        NewHeaders { tagging: Some("a=2"), ..none },
        NewHeaders { grants: Some(&read), ..none },
        NewHeaders { grants: Some(&read_acp), ..none },
    ];
    let all = configs.iter().map(|config| (config.clone(), none));
    let all: Vec<_> = all.chain(objects.map(|headers| (server.config(), headers))).collect();
    let mut digests = Vec::new();
    for (row, (config, headers)) in all.iter().enumerate() {
        let digest = terms_of(config.clone(), *headers).await;
        assert_eq!(terms_of(config.clone(), *headers).await, digest, "row {row}");
        assert!(!digests.contains(&digest), "row {row}: {headers:?}");
        digests.push(digest);
    }
}

#[tokio::test]
async fn what_says_nothing_of_the_object_makes_none() {
    let server = Server::start([]).await;
    let none = NewHeaders::default();
    let plain = terms_of(server.config(), none).await;
    let other = Config { request_payer: true, region: Some("eu-west-1".into()), max_attempts: 1, ..server.config() };
    assert_eq!(terms_of(other, none).await, plain);
    let bucket = server.bucket().await;
    let of = |metadata| {
        let headers = NewHeaders { metadata, ..none };
        bucket.multipart_terms(CreateMultipartUpload { key: "k", headers }).unwrap()
    };
    assert_eq!(of(&[("a", "1"), ("b", "2")]), of(&[("b", "2"), ("a", "1")]), "it has no order");
    let other_key = CreateMultipartUpload { key: "another", headers: none };
    assert_eq!(bucket.multipart_terms(other_key).unwrap(), plain);
}
