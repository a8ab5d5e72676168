//! HTTP proxies that the environment names.

use std::net::TcpListener;

use crate::harness::{Ended, Files, Proxy, Reply, Scene, Scripted, TlsFront};

/// `me:s3cr/t` as it stands in `Proxy-Authorization`.
const AUTHORIZATION: &str = "Basic bWU6czNjci90";

/// A proxy's address with that user and password.
fn with_password(proxy: &Proxy) -> String {
    format!("http://me:s3cr%2Ft@{}", proxy.address)
}

/// A scene whose bucket holds what is in its tree.
fn filled() -> Scene {
    let scene = Scene::embedded();
    scene.write("tree", &Files::new([("b c", b"1"), ("dir/%2e", b"2"), ("..x", b"3")]));
    scene.sync(&scene.arg("tree"), &scene.url(""), []);
    scene.log().forget_requests();
    scene
}

/// Brings the bucket's objects down, with these variables.
fn down(scene: &Scene, variables: &[(&str, &str)]) -> Ended {
    let mut command = scene.brigade_command(["sync", &scene.url(""), &scene.arg("copy"), "-vvv"]);
    command.envs(variables.iter().copied());
    let ended = Ended::of(command);
    for said in [&ended.stdout, &ended.stderr] {
        let secrets = ["s3cr", AUTHORIZATION.trim_start_matches("Basic ")];
        assert!(!secrets.iter().any(|secret| said.contains(secret)), "the password is shown: {said}");
    }
    ended
}

/// The copy is what the bucket holds.
#[track_caller]
fn assert_copied(scene: &Scene) {
    scene.read("copy").assert_are(&scene.read("tree"));
    std::fs::remove_dir_all(scene.path("copy")).unwrap();
}

#[test]
fn a_proxy_is_told_the_whole_address_and_the_password() {
    let scene = Scene::embedded();
    scene.write("tree", &Files::new([("b c", b"1"), ("dir/%2e", b"2"), ("..x", b"3")]));
    let proxy = Proxy::guarded(AUTHORIZATION);
    scene.log().forget_requests();
    let mut up = scene.brigade_command(["sync", &scene.arg("tree"), &scene.url("")]);
    up.env("http_proxy", with_password(&proxy));
    Ended::of(up).exits(0);
    assert!(scene.log().requests() >= 4);
    assert_eq!(proxy.heads().len(), scene.log().requests(), "each request goes through the proxy");
    let put = format!("PUT {}/{}/dir/%252e HTTP/1.1\r\n", scene.server.endpoint, scene.bucket);
    assert!(proxy.heads().iter().any(|head| head.starts_with(&put)), "{:?}", proxy.heads());

    down(&scene, &[("HTTP_PROXY", &with_password(&proxy))]).exits(0);
    assert_copied(&scene);
    assert_eq!(proxy.heads().len(), scene.log().requests());
}

#[test]
fn a_proxy_lets_encrypted_connections_through_and_sees_nothing_of_them() {
    let scene = filled();
    let front = TlsFront::before(&scene.server.endpoint);
    let proxy = Proxy::guarded(AUTHORIZATION);
    let (address, bundle) = (with_password(&proxy), front.ca_bundle());
    down(
        &scene,
        &[
            ("AWS_ENDPOINT_URL", &front.url),
            ("AWS_CA_BUNDLE", bundle.to_str().unwrap()),
            ("HTTPS_PROXY", &address),
            ("HTTP_PROXY", "http://127.0.0.1:1"),
        ],
    )
    .exits(0);
    assert_copied(&scene);
    let heads = proxy.heads();
    let host = front.url.strip_prefix("https://").unwrap();
    assert!(!heads.is_empty() && heads.len() <= scene.log().requests());
    assert!(heads.iter().all(|head| head.starts_with(&format!("CONNECT {host} HTTP/1.1\r\n"))), "{heads:?}");
    assert!(!heads.concat().to_ascii_lowercase().contains("\r\nauthorization"), "{heads:?}");
}

#[test]
fn a_proxy_may_itself_be_encrypted() {
    let scene = filled();
    let proxy = Proxy::open();
    let front = TlsFront::before(&format!("http://{}", proxy.address));
    let bundle = front.ca_bundle();
    down(&scene, &[("ALL_PROXY", &front.url), ("AWS_CA_BUNDLE", bundle.to_str().unwrap())]).exits(0);
    assert_copied(&scene);
    assert_eq!(proxy.heads().len(), scene.log().requests());
}

#[test]
fn hosts_in_no_proxy_are_asked_without_one() {
    let scene = filled();
    let proxy = Proxy::open();
    let address = format!("http://{}", proxy.address);
    let host = scene.server.endpoint.strip_prefix("http://").unwrap();
    let none_for = ["*", "example.org, 127.0.0.1", "127.0.0.0/8", host];
    for none_for in none_for {
        down(&scene, &[("http_proxy", &address), ("NO_PROXY", none_for)]).exits(0);
        assert_copied(&scene);
        assert!(proxy.heads().is_empty(), "{none_for}: {:?}", proxy.heads());
    }
    for none_for in ["example.org", "10.0.0.0/8", "127.0.0.1:1"] {
        let before = proxy.heads().len();
        down(&scene, &[("http_proxy", &address), ("no_proxy", none_for)]).exits(0);
        assert_copied(&scene);
        assert!(proxy.heads().len() > before, "{none_for}");
    }
}

#[test]
fn a_proxy_that_refuses_is_named_with_what_to_do() {
    let scene = filled();
    let front = TlsFront::before(&scene.server.endpoint);
    let guarded = Proxy::guarded(AUTHORIZATION);
    let refusing = Proxy::refusing("403 Forbidden");
    let without_password = format!("http://{}", guarded.address);
    let wrong_password = format!("http://me:s3cr-and-wrong@{}", guarded.address);
    let refuses = format!("http://{}", refusing.address);
    for (endpoint, address, status) in [
        (&scene.server.endpoint, &without_password, "407"),
        (&scene.server.endpoint, &wrong_password, "407"),
        (&front.url, &without_password, "407"),
        (&front.url, &wrong_password, "407"),
        (&front.url, &refuses, "403"),
    ] {
        let bundle = front.ca_bundle();
        let ended = down(
            &scene,
            &[("AWS_ENDPOINT_URL", endpoint), ("ALL_PROXY", address), ("AWS_CA_BUNDLE", bundle.to_str().unwrap())],
        );
        ended.exits(1).complains(status).complains("user and password of the proxy").complains("NO_PROXY");
    }
    assert_eq!(scene.log().requests(), 0);
    assert_eq!((guarded.heads().len(), refusing.heads().len()), (4, 1), "none is asked twice");

    // Without encryption it is only by its words that a proxy can be told from the service.
    let ended = down(&scene, &[("http_proxy", &refuses)]).exits(1);
    ended.complains("answered 403").complains("the proxy says no").complains("what stands in between");
}

#[test]
fn a_proxy_that_is_not_there_is_named() {
    let scene = filled();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("me:s3cr@{}", taken.local_addr().unwrap());
    drop(taken);
    let ended = down(&scene, &[("HTTP_PROXY", &address)]).exits(1);
    let shown = format!("the proxy http://{} (which HTTP_PROXY names) could not be reached: ", &address[8..]);
    ended.complains(&shown);
    for address in ["socks5://me:s3cr@127.0.0.1:1080", "me:s3cr@"] {
        let ended = down(&scene, &[("http_proxy", address)]).exits(1);
        ended.complains("http_proxy is ").complains("not the address of an HTTP proxy");
    }
    // It is of no concern to a service that isn't asked that way.
    down(&scene, &[("https_proxy", "socks5://127.0.0.1:1080")]).exits(0);
    assert_copied(&scene);
}

#[test]
fn a_metadata_service_is_asked_without_a_proxy() {
    let scene = filled();
    let account = scene.server.credentials.clone();
    let metadata = Scripted::start(move |asked| {
        let credentials = format!(
            "{{\"Code\": \"Success\", \"Type\": \"AWS-HMAC\", \"AccessKeyId\": \"{}\", \"SecretAccessKey\": \"{}\", \
             \"Token\": \"t\", \"LastUpdated\": \"2026-01-01T00:00:00Z\", \"Expiration\": \"2099-01-01T00:00:00Z\"}}",
            account.access_key_id, account.secret_access_key
        );
        match asked.target.trim_end_matches('/') {
            "/latest/api/token" => Reply::of("200 OK", "x-aws-ec2-metadata-token-ttl-seconds: 600\r\n", "token"),
            "/latest/meta-data/iam/security-credentials" => Reply::of("200 OK", "", "role"),
            "/latest/meta-data/iam/security-credentials/role" => Reply::of("200 OK", "", credentials),
            _ => Reply::of("404 Not Found", "", ""),
        }
    });
    let proxy = Proxy::open();
    let mut command = scene.brigade_command(["sync", &scene.url(""), &scene.arg("copy")]);
    for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_EC2_METADATA_DISABLED"] {
        command.env_remove(name);
    }
    command.env("AWS_EC2_METADATA_SERVICE_ENDPOINT", metadata.server().endpoint);
    command.env("http_proxy", format!("http://{}", proxy.address));
    Ended::of(command).exits(0);
    assert_copied(&scene);
    assert!(metadata.asked().len() >= 3, "{:?}", metadata.asked());
    assert_eq!(proxy.heads().len(), scene.log().requests(), "{:?}", proxy.heads());
}
