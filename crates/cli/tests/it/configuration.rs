//! Stores with names: `brigade.toml`, wherever it is, and `brigade config check`.

use std::fs;
use std::process::Command;

use crate::harness::{Ended, Files, Scene};

/// Two servers, of which the environment leads to the first; the other one is the store `other`.
struct Two {
    here: Scene,
    there: Scene,
}

impl Two {
    fn new() -> Self {
        let two = Self { here: Scene::embedded(), there: Scene::embedded() };
        let server = &two.there.server;
        let file = format!(
            "[store.other]\nendpoint-url = \"{}\"\nregion = \"us-east-1\"\nprofile = \"other\"\nprovider = \"brigade-dev\"\n",
            server.endpoint
        );
        fs::create_dir_all(two.here.path(".config/brigade")).unwrap();
        fs::create_dir_all(two.here.path(".aws")).unwrap();
        fs::write(two.here.path(".config/brigade/brigade.toml"), file).unwrap();
        let credentials = format!(
            "[other]\naws_access_key_id = {}\naws_secret_access_key = {}\n",
            server.credentials.access_key_id, server.credentials.secret_access_key
        );
        fs::write(two.here.path(".aws/credentials"), credentials).unwrap();
        two
    }

    /// In the environment of the first server.
    fn command(&self, args: &[&str]) -> Command {
        let mut command = self.here.brigade_command(args);
        command.env("AWS_SHARED_CREDENTIALS_FILE", self.here.path(".aws/credentials"));
        command
    }

    fn brigade(&self, args: &[&str]) -> Ended {
        Ended::of(self.command(args))
    }

    fn named(&self, below: &str) -> String {
        format!("other:{}/{below}", self.there.bucket)
    }
}

#[test]
fn a_store_is_named_wherever_a_location_is_written() {
    let two = Two::new();
    let files = Files::new([("a", b"1"), ("b/c", b"2")]);
    two.here.write("tree", &files);
    let (tree, to, from) = (two.here.arg("tree"), two.named("to"), two.here.url("from"));
    let ledger = two.named("state/l.ledger");
    let up = two.brigade(&["sync", &tree, &to, "--ledger", &ledger, "--output", "json"]).exits(0);
    up.summary().counts([("created", 2)]);
    two.there.stored("to").assert_are(&files);
    two.brigade(&["sync", &tree, &to, "--ledger", &ledger, "--output", "json"])
        .exits(0)
        .summary()
        .counts([("in_step", 2)]);

    // The other side is at the service that the environment names.
    let back = two.brigade(&["sync", &to, &from, "--output", "json"]).exits(0);
    back.summary().counts([("created", 2)]);
    two.here.stored("from").assert_are(&files);
    two.brigade(&["sync", &to, &two.here.arg("copy"), "--output", "json"]).exits(0).summary().counts([("created", 2)]);

    let listed = two.brigade(&["ls", &to, "--recursive"]).exits(0).stdout;
    assert!(listed.contains(" a\n") && listed.contains(" b/c\n"), "{listed}");
    assert!(two.brigade(&["ls", "other:"]).exits(0).stdout.contains(&two.there.bucket));
    let key = two.named("to/b/c");
    let explained = two.brigade(&["explain", &tree, &to, &key, "--ledger", &ledger]).exits(0).stdout;
    assert!(explained.contains("does nothing: it is in step"), "{explained}");
    two.brigade(&["check", &tree, &to]).exits(0);
    two.brigade(&["cleanup", &to, "--older-than", "1d"]).exits(0);
    two.brigade(&["versions", &to]).exits(1).complains("keeps no versions");
    two.brigade(&["prune", &to, "--older-than", "1d"]).exits(1).complains("keeps no versions");
    two.brigade(&["probe", &to]).exits(0);
    assert_eq!(two.here.log().received("ListMultipartUploads"), 0, "the environment's service was asked");
    two.brigade(&["explain", &tree, &to, &two.here.url("to/a")]).exits(2).complains(&two.named("to/"));

    let du = two.brigade(&["du", &to]).exits(0).stdout;
    assert!(du.split_whitespace().next() == Some("2"), "{du}");
    assert_eq!(two.brigade(&["cat", &key]).exits(0).stdout, "2");
    two.brigade(&["restore", &to, &two.here.arg("back")]).exits(0);
    two.here.read("back").assert_are(&files);
    two.brigade(&["rm", &to]).exits(0);
    assert_eq!(two.there.stored("to").count(), 0);
    assert_eq!(two.here.stored("from").count(), 2, "the environment's bucket is another one");
}

/// A sync between them would read what it writes.
#[test]
fn a_store_that_has_a_name_is_known_as_the_place_that_it_is() {
    let scene = Scene::embedded();
    scene.put("p/k", b"1");
    scene.log().forget_requests();
    let endpoint = &scene.server.endpoint;
    let stores = format!("[store.nas]\nendpoint-url = \"{endpoint}\"\n[store.slash]\nendpoint-url = \"{endpoint}/\"\n");
    fs::write(scene.path("stores.toml"), stores).unwrap();
    let named = |store: &str, below: &str| format!("{store}:{}/{below}", scene.bucket);
    let table = [
        (named("nas", "p"), scene.url("p")),
        (scene.url("p"), named("nas", "p/")),
        (named("nas", "p"), scene.url("p/q")),
        (named("nas", "p/q"), scene.url("p")),
        (scene.url(""), named("nas", "p")),
        (named("nas", ""), scene.url("p")),
        (named("nas", "p"), named("slash", "p")),
        (named("slash", "p/q"), scene.url("p")),
    ];
    for (source, dest) in &table {
        for command in [&["sync", "--delete"][..], &["check"]] {
            let ended =
                scene.brigade(command.iter().copied().chain([source, dest, "--config", "stores.toml"])).exits(2);
            ended.complains(&format!("{source} and {dest} overlap"));
        }
    }
    assert_eq!(scene.log().requests(), 0);
    // What only begins with the same letters is another place, and so is the same one in another service.
    let beside = ["sync", &named("nas", "p"), &scene.url("pq"), "--config", "stores.toml"];
    scene.brigade(beside).exits(0);
    let two = Two::new();
    two.there.put("k", b"1");
    two.here.aws(["s3api", "create-bucket", "--bucket", &two.there.bucket]);
    two.brigade(&["sync", &two.named(""), &two.there.url("")]).exits(0);
    assert_eq!(scene.stored("").paths(), ["p/k", "pq/k"]);
}

#[test]
fn a_report_is_read_in_the_store_of_its_name() {
    let two = Two::new();
    two.there.put("from/k", b"1");
    let manifest = serde_json::json!({
        "sourceBucket": two.there.bucket,
        "destinationBucket": two.there.bucket,
        "fileFormat": "CSV",
        "fileSchema": "Bucket, Key, Size, LastModifiedDate, ETag, StorageClass",
        "files": [],
    });
    two.there.put("reports/manifest.json", manifest.to_string().as_bytes());
    two.here.log().forget_requests();
    let (from, report) = (two.named("from"), two.named("reports/manifest.json"));
    let ended = two.brigade(&["sync", &from, &two.here.arg("tree"), "--source-inventory", &report]).exits(0);
    ended.complains("lists nothing where k is");
    assert_eq!(two.here.log().requests(), 0, "the environment's service was asked");
    let elsewhere = two.here.url("reports/manifest.json");
    let ended = two.brigade(&["sync", &elsewhere, &two.here.arg("tree"), "--source-inventory", &report]).exits(2);
    ended.complains("name it in the same store as SOURCE");
}

/// A directory that is called as a store is, with a copy in it, is what nobody finds again.
#[test]
fn a_place_to_restore_to_is_read_as_any_other_location() {
    let two = Two::new();
    two.there.put("k", b"1");
    let (from, elsewhere) = (two.named(""), two.named("back"));
    two.brigade(&["restore", &from, &elsewhere]).exits(2).complains("is a bucket; restore to a directory");
    two.brigade(&["restore", &from, "othre:back"]).exits(2).complains("no store is called othre; did you mean other?");
    assert_eq!(two.there.stored("").paths(), ["k"]);
    assert!(!two.here.path("othre:back").exists() && !two.here.path(&elsewhere).exists());
    two.brigade(&["restore", &from, "./other:back"]).exits(0);
    two.here.read("other:back").assert_are(&Files::new([("k", b"1")]));
}

#[test]
fn flags_come_before_the_file_and_the_file_before_the_environment() {
    let two = Two::new();
    two.there.put("a", b"there");
    let to_here = two.here.server.endpoint.clone();
    let bucket = two.named("");
    assert!(two.brigade(&["ls", &bucket]).exits(0).stdout.contains(" a\n"));
    two.here.log().forget_requests();
    two.brigade(&["ls", &bucket, "--endpoint-url", &to_here]).exits(1);
    assert!(two.here.log().requests() > 0, "the flag leads here");
}

#[test]
fn the_file_is_the_one_that_was_named_and_never_one_of_the_current_directory() {
    let two = Two::new();
    let bucket = two.named("");
    let usual = two.here.path(".config/brigade/brigade.toml");
    let text = fs::read_to_string(&usual).unwrap();
    fs::remove_file(&usual).unwrap();
    // The current directory of each run.
    fs::write(two.here.path("brigade.toml"), &text).unwrap();
    two.brigade(&["ls", &bucket, "--recursive"])
        .exits(1)
        .complains("there is no such directory")
        .complains("brigade config check");
    two.brigade(&["ls", &bucket, "--config", "brigade.toml"]).exits(0);
    let mut command = two.command(&["ls", &bucket]);
    command.env("BRIGADE_CONFIG", two.here.path("brigade.toml"));
    Ended::of(command).exits(0);
    let mut command = two.command(&["ls", &bucket, "--config", "brigade.toml"]);
    command.env("BRIGADE_CONFIG", "/nonexistent");
    Ended::of(command).exits(0);
    two.brigade(&["ls", &bucket, "--config", "/nonexistent"]).exits(2).complains("could not read /nonexistent");
    fs::create_dir_all(two.here.path("xdg/brigade")).unwrap();
    fs::write(two.here.path("xdg/brigade/brigade.toml"), &text).unwrap();
    let mut command = two.command(&["ls", &bucket]);
    command.env("XDG_CONFIG_HOME", two.here.path("xdg"));
    Ended::of(command).exits(0);
}

#[test]
fn what_is_wrong_in_the_file_is_told_with_its_line_before_anything_is_done() {
    let two = Two::new();
    two.here.write("tree", &Files::new([("a", b"1")]));
    let (tree, plain) = (two.here.arg("tree"), two.here.url("p"));
    let file = two.here.path("own.toml");
    let config = file.to_str().unwrap();
    fs::write(&file, "[store.nas]\nendpoint_url = \"http://nas\"\nsecret-key = \"embedded-test-secret\"\n").unwrap();
    two.here.log().forget_requests();
    for location in ["nas:bucket", &plain] {
        let ended = two.brigade(&["sync", &tree, location, "--config", config]).exits(2);
        // A line for each.
        let ended =
            ended.complains(&format!("error: {config}:2: unknown key endpoint_url; did you mean endpoint-url?\n"));
        ended.complains(&format!("error: {config}:3: unknown key secret-key; no secrets in this file"));
    }
    assert_eq!(two.here.log().requests(), 0);
    two.brigade(&["config", "check", "--config", config]).exits(1).complains("own.toml:2: unknown key endpoint_url");

    fs::write(&file, "[store.nas]\nca-bundle = \"nas.pem\"\n").unwrap();
    let ended = two.brigade(&["config", "check", "--config", config]).exits(1);
    ended.complains(&format!("[store.nas]: ca-bundle {}", two.here.arg("nas.pem")));
    let ended = two.brigade(&["sync", &tree, "nsa:bucket", "--config", config]).exits(2);
    ended.complains("no store is called nsa; did you mean nas? (a directory of this name is written ./nsa:bucket)");
    assert!(!two.here.path("nsa:bucket").exists());
}

#[test]
fn the_check_says_which_file_is_read_and_what_it_makes_of_each_store() {
    let two = Two::new();
    let usual = two.here.arg(".config/brigade/brigade.toml");
    let said = two.brigade(&["config", "check"]).exits(0).stdout;
    let endpoint = &two.there.server.endpoint;
    let expected = format!(
        "{usual}\nother:\n  endpoint-url    {endpoint}\n  region          us-east-1\n  profile         other\n  provider        brigade-dev\n"
    );
    assert_eq!(said, expected);
    fs::write(
        two.here.path("empty.toml"),
        "[store.public]\nno-sign-request = true\nrequest-payer = true\naddressing = 'virtual'\n",
    )
    .unwrap();
    let said = two.brigade(&["config", "check", "--config", "empty.toml"]).exits(0).stdout;
    let expected = "empty.toml\npublic:\n  \
        endpoint-url    not here: the environment or the profile says, else AWS\n  \
        region          not here: the environment or the profile says, else us-east-1\n  \
        no-sign-request requests are not signed\n  \
        addressing      virtual\n  \
        request-payer   requests are paid for\n";
    assert_eq!(said, expected);
    fs::remove_file(&usual).unwrap();
    let said = two.brigade(&["config", "check"]).exits(0).stdout;
    assert_eq!(said, format!("no file: there is none at {usual}\n"));
}
