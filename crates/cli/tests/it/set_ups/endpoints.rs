//! Endpoints that are wrong, or not to be trusted.

use std::net::TcpListener;

use super::in_step;
use crate::harness::{Ended, Reply, Scene, Scripted, TlsFront};

/// A sync from an endpoint and one to it, both of which must end with 1, nothing deleted, and these words.
fn complains_of(scene: &Scene, endpoint: &str, words: &[&str]) {
    let (tree, url) = (scene.arg("tree"), scene.url(""));
    for (source, dest) in [(&tree, &url), (&url, &tree)] {
        let args = ["sync", source, dest, "--delete", "--endpoint-url", endpoint];
        let ended = scene.brigade(args).exits(1);
        for word in words {
            assert!(ended.stderr.contains(word), "{word:?} is not in what {args:?} said:\n{}", ended.stderr);
        }
    }
    assert_eq!(scene.read("tree").count(), 3);
}

#[test]
fn an_endpoint_that_is_not_s3_is_told_as_such() {
    let scene = in_step();
    let strangers = [
        ("200 OK", "<!DOCTYPE html>\n<html><body>It works!</body></html>", "not the XML that S3 sends"),
        ("200 OK", "<html><body><p>It works!</p></body></html>", "not the XML that S3 sends"),
        ("200 OK", "It works!", "not the XML that S3 sends"),
        ("200 OK", "", "not the XML that S3 sends"),
        ("404 Not Found", "<html><body>404 page not found</body></html>", "404 page not found"),
        ("403 Forbidden", "Go away.", "it says: Go away"),
        ("405 Method Not Allowed", "no", "it says: no"),
    ];
    for (status, page, said) in strangers {
        let stranger = Scripted::start(move |_| Reply::of(status, "", page));
        complains_of(&scene, &stranger.server().endpoint, &[said, "this is not how S3 answers: check the endpoint"]);
    }
    assert_eq!(scene.log().requests(), 0);
}

#[test]
fn http_and_https_mistaken_for_each_other_are_told_as_such() {
    let scene = in_step();
    let front = TlsFront::before(&scene.server.endpoint);
    let advice = "check the endpoint, also whether it is http:// or https://";
    complains_of(&scene, &scene.server.endpoint.replace("http", "https"), &["cannot connect to", advice]);
    complains_of(&scene, &front.url.replace("https", "http"), &[advice]);
}

#[test]
fn an_endpoint_that_is_not_there_is_told_as_such() {
    let scene = in_step();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    drop(taken);
    let advice = "check the endpoint, the network and whether the service is up";
    complains_of(&scene, &format!("http://{address}"), &["cannot connect to", &address, "refused", advice]);
    complains_of(&scene, "http://nowhere.invalid", &["cannot connect to nowhere.invalid", "dns error", advice]);
    let ended = scene.brigade(["ls", &scene.url(""), "--endpoint-url", "nowhere:9000"]).exits(1);
    ended.complains("the endpoint \"nowhere:9000\" is not an address; write it like https://host");
}

#[test]
fn a_certificate_is_trusted_once_it_is_given() {
    let scene = in_step();
    let front = TlsFront::before(&scene.server.endpoint);
    let stranger = TlsFront::before(&scene.server.endpoint);
    complains_of(&scene, &front.url, &["cannot connect to", "--ca-bundle"]);
    let (bundle, other) = (front.ca_bundle(), stranger.ca_bundle());
    let list = |option: Option<&str>, variable: Option<&str>| {
        let mut command = scene.brigade_command(["ls", &scene.url(""), "--endpoint-url", &front.url]);
        option.map(|bundle| command.args(["--ca-bundle", bundle]));
        variable.map(|bundle| command.env("AWS_CA_BUNDLE", bundle));
        Ended::of(command)
    };
    assert_eq!(scene.log().requests(), 0);
    let [bundle, other] = [&bundle, &other].map(|bundle| bundle.to_str());
    for (option, variable, code) in
        [(bundle, None, 0), (None, bundle, 0), (bundle, other, 0), (other, bundle, 1), (None, other, 1)]
    {
        let ended = list(option, variable).exits(code);
        assert_eq!(ended.stdout.contains("one"), code == 0);
        assert_eq!(ended.stderr.contains("give the service's certificates with --ca-bundle"), code == 1);
    }
    list(Some("/dev/null"), None).exits(1).complains("the CA bundle /dev/null").complains("PEM");
    // The certificate is for the address, not for the name.
    let named = front.url.replace("127.0.0.1", "localhost");
    let args = ["ls", &scene.url(""), "--endpoint-url", &named, "--ca-bundle", bundle.unwrap()];
    scene.brigade(args).exits(1).complains("use a name that they are for");
}
