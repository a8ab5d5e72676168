//! Signatures that AWS has published: those of its Signature Version 4 test
//! suite (as its crate `aws-sigv4` carries it in `aws-signing-test-suite/v4`; the cases
//! in which paths aren't normalised, as S3 wants it), and those of S3's documentation
//! (<https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html>).

use std::time::{Duration, SystemTime};

use http::header;

use super::*;

const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const UNRESERVED: &str = "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const TOKEN: &str = "6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267";

type Pairs = &'static [(&'static str, &'static str)];

/// Who signs, where and when.
struct Signing {
    credentials: Credentials,
    service: &'static str,
    host: &'static str,
    /// Seconds since the epoch.
    time: u64,
}

impl Signing {
    fn of_the_suite() -> Self {
        let secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
        let credentials = Credentials::new("AKIDEXAMPLE", secret, None, None, "vectors");
        Self { credentials, service: "service", host: "example.amazonaws.com", time: 1_440_938_160 }
    }

    fn of_the_documentation() -> Self {
        let secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
        let credentials = Credentials::new("AKIAIOSFODNN7EXAMPLE", secret, None, None, "vectors");
        Self { credentials, service: "s3", host: "examplebucket.s3.amazonaws.com", time: 1_369_353_600 }
    }

    /// The signature of a request whose path and query are given as they mean, not encoded.
    fn signature(&self, method: &Method, path: &str, query: Pairs, added: Pairs, payload: &str) -> String {
        let time = SigningTime::of(SystemTime::UNIX_EPOCH + Duration::from_secs(self.time));
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, HeaderValue::from_static(self.host));
        headers.insert("x-amz-date", HeaderValue::try_from(time.full()).unwrap());
        for (name, value) in added {
            headers.append(*name, HeaderValue::from_static(value));
        }
        let query: Vec<_> = query.iter().map(|(name, value)| (*name, Cow::Borrowed(*value))).collect();
        let query = canonical_query(&query);
        let path = encode(path, Keep::UnreservedAndSlash);
        let request = Signable { method, path: &path, query: &query, headers: &headers, payload };
        let scope = Scope { scheme: Scheme::AWS, time: &time, region: "us-east-1", service: self.service };
        let authorization = Signer::default().authorization(&request, &scope, &self.credentials);
        authorization.split_once("Signature=").unwrap().1.to_owned()
    }
}

#[test]
fn paths_are_signed_as_in_the_suite() {
    let table = [
        ("/", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
        ("/example1/example2/../..", "dc33e0856fd4baca4d7aa2146c38958283844764f38c74252a333df5e613003b"),
        ("/example/..", "eca7ead57bb5aa5c8e28007acd4ff04e1ff9a0ff3b237ec1554a184887ff9282"),
        ("/./", "68714168e6557f8f2de0ef956fc24dc2593a4bd2961f8df51898d8a134695145"),
        ("/./example", "beb03f223f7deae4146464f06e29eebbee9c8afbe15c290cf07aa8b119e14cff"),
        ("//", "c88bcd3d312d75078c0cd961d6deae3f4c754924b01669efcfcb439fd5e5b76e"),
        ("//example//", "87cca117541a147f6df867677d98a7d80dff226d2bfca9e4ffa899665623c7e5"),
        ("/example space/", "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741"),
        ("/ሴ", "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"),
    ];
    for (path, signature) in table {
        assert_eq!(Signing::of_the_suite().signature(&Method::GET, path, &[], &[], EMPTY), signature, "{path}");
    }
    let unreserved = Signing::of_the_suite().signature(&Method::GET, &format!("/{UNRESERVED}"), &[], &[], EMPTY);
    assert_eq!(unreserved, "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f");
}

#[test]
fn queries_are_signed_as_in_the_suite() {
    let table: [(Method, Pairs, &str); 7] = [
        (Method::GET, &[("Param1", "value1")], "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb"),
        (
            Method::GET,
            &[("Param-3", "Value3"), ("Param", "Value2"), ("ሴ", "Value1")],
            "371d3713e185cc334048618a97f809c9ffe339c62934c032af5a0e595648fcac",
        ),
        (
            Method::GET,
            &[("Param2", "value2"), ("Param1", "value1")],
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
        ),
        (Method::GET, &[(UNRESERVED, UNRESERVED)], "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197"),
        (Method::GET, &[("ሴ", "bar")], "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04"),
        (Method::POST, &[], "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
        (Method::POST, &[("Param1", "value1")], "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11"),
    ];
    for (method, query, signature) in table {
        assert_eq!(Signing::of_the_suite().signature(&method, "/", query, &[], EMPTY), signature, "{query:?}");
    }
}

#[test]
fn headers_are_signed_as_in_the_suite() {
    let table: [(Method, Pairs, &str); 7] = [
        (
            Method::GET,
            &[("my-header1", "value2"), ("my-header1", "value2"), ("my-header1", "value1")],
            "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea",
        ),
        (
            // HTTP no longer has folded lines: they are unfolded here, as its rules say.
            Method::GET,
            &[("my-header1", "value1    value2       value3")],
            "cfd34249e4b1c8d6b91ef74165d41a32e5fab3306300901bb65a51a73575eefd",
        ),
        (
            Method::GET,
            &[("my-header1", "value4"), ("my-header1", "value1"), ("my-header1", "value3"), ("my-header1", "value2")],
            "08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01",
        ),
        (
            Method::GET,
            &[("my-header1", " value1"), ("my-header2", " \"a   b   c\"")],
            "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
        ),
        (
            Method::GET,
            &[("x-amz-security-token", TOKEN)],
            "07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8",
        ),
        (Method::POST, &[("my-header1", "value1")], "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c"),
        (Method::POST, &[("my-header1", "VALUE1")], "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d"),
    ];
    for (method, headers, signature) in table {
        assert_eq!(Signing::of_the_suite().signature(&method, "/", &[], headers, EMPTY), signature, "{headers:?}");
    }
}

#[test]
fn payloads_are_signed_as_in_the_suite() {
    let payload = "9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e";
    assert_eq!(sha256_hex(b"Param1=value1"), payload);
    let headers: Pairs = &[
        ("content-type", "application/x-www-form-urlencoded"),
        ("content-length", "13"),
        ("x-amz-content-sha256", "9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e"),
    ];
    let signature = Signing::of_the_suite().signature(&Method::POST, "/", &[], headers, payload);
    assert_eq!(signature, "d3875051da38690788ef43de4db0d8f280229d82040bfac253562e56c3f20e0b");
}

#[test]
fn s3s_documented_examples_are_signed() {
    let welcome = "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072";
    assert_eq!(sha256_hex(b"Welcome to Amazon S3."), welcome);
    let table: [(Method, &str, Pairs, Pairs, &str, &str); 4] = [
        (
            Method::GET,
            "/test.txt",
            &[],
            &[("range", "bytes=0-9"), ("x-amz-content-sha256", EMPTY)],
            EMPTY,
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
        ),
        (
            Method::PUT,
            "/test$file.text",
            &[],
            &[
                ("date", "Fri, 24 May 2013 00:00:00 GMT"),
                ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
                ("x-amz-content-sha256", "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072"),
            ],
            welcome,
            "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
        ),
        (
            Method::GET,
            "/",
            &[("lifecycle", "")],
            &[("x-amz-content-sha256", EMPTY)],
            EMPTY,
            "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
        ),
        (
            Method::GET,
            "/",
            &[("prefix", "J"), ("max-keys", "2")],
            &[("x-amz-content-sha256", EMPTY)],
            EMPTY,
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
        ),
    ];
    for (method, path, query, headers, payload, signature) in table {
        let signed = Signing::of_the_documentation().signature(&method, path, query, headers, payload);
        assert_eq!(signed, signature, "{path} {query:?}");
    }
}

#[test]
fn a_derived_key_serves_its_day_region_and_owner_only() {
    let signing = Signing::of_the_suite();
    let other = Credentials::new("OTHER", "other secret", None, None, "vectors");
    let [today, tomorrow] =
        [0, 86_400].map(|later| SigningTime::of(SystemTime::UNIX_EPOCH + Duration::from_secs(later)));
    let here = Scope { scheme: Scheme::AWS, time: &today, region: "us-east-1", service: "s3" };
    let uses = [
        (here, &signing.credentials),
        (here, &signing.credentials),
        (Scope { time: &tomorrow, ..here }, &signing.credentials),
        (Scope { region: "eu-west-1", ..here }, &signing.credentials),
        (Scope { service: "sts", ..here }, &signing.credentials),
        (here, &other),
    ];
    let signer = Signer::default();
    for (scope, credentials) in uses {
        let cached = hmac::sign(&signer.key(&scope, credentials).key, b"text");
        let fresh = hmac::sign(&derive_key(credentials.secret_access_key(), &scope), b"text");
        assert_eq!(cached.as_ref(), fresh.as_ref(), "{scope:?}");
    }
}

/// Google publishes none of this kind: worked out with Python's `hmac` from
/// <https://cloud.google.com/storage/docs/authentication/signatures>.
#[test]
fn google_has_names_of_its_own() {
    let Signing { credentials, time, .. } = Signing::of_the_documentation();
    let time = SigningTime::of(SystemTime::UNIX_EPOCH + Duration::from_secs(time));
    let headers = [
        ("host", "storage.googleapis.com"),
        ("x-goog-content-sha256", UNSIGNED_PAYLOAD),
        ("x-goog-date", "20130524T000000Z"),
        ("x-goog-if-generation-match", "0"),
    ];
    let headers = headers
        .map(|(name, value)| (http::HeaderName::from_static(name), HeaderValue::from_static(value)))
        .into_iter()
        .collect();
    let request = Signable {
        method: &Method::PUT,
        path: "/bucket/a%20b",
        query: "",
        headers: &headers,
        payload: UNSIGNED_PAYLOAD,
    };
    let scope = Scope { scheme: Scheme::GOOGLE, time: &time, region: "auto", service: "storage" };
    assert_eq!(
        Signer::default().authorization(&request, &scope, &credentials),
        "GOOG4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/auto/storage/goog4_request,\
         SignedHeaders=host;x-goog-content-sha256;x-goog-date;x-goog-if-generation-match,\
         Signature=1f2bf77b13d6dbd54426cb1f0ee4c1951b4af6c3646a2565f0854762b2c58a1b"
    );
}
