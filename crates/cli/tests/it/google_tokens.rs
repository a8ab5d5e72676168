//! Google's application default credentials: each kind, towards servers that give tokens and one that wants them.

use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::harness::{Ended, Files, Proxy, Reply, Scene, Scripted};

/// What stands in for a token; all of Google's begin like that.
const TOKEN: &str = "ya29.first";
const NEXT: &str = "ya29.second";

/// A token, for an hour.
fn token(token: &str) -> Reply {
    let told = format!(
        r#"{{"access_token":"{token}","expires_in":3600,"token_type":"Bearer","issued_token_type":"urn:ietf:params:oauth:token-type:access_token"}}"#
    );
    Reply::of("200 OK", "Content-Type: application/json\r\n", told)
}

/// A scene with a tree of so many objects, and the server that wants tokens.
fn scene(objects: u32) -> Scene {
    let scene = Scene::google();
    let mut tree = Files::default();
    for number in 0..objects {
        tree.put(&format!("{number:03}"), number.to_string());
    }
    scene.write("tree", &tree);
    scene
}

/// A sync of the tree with the bucket at Google, without any key of AWS's.
fn up(scene: &Scene, more: &[&str]) -> Command {
    let bucket = scene.url("").replacen("s3://", "gs://", 1);
    let (tree, endpoint) = (scene.arg("tree"), scene.log().google().endpoint);
    let args = ["sync", &tree, &bucket, "--output", "json", "--endpoint-url", &endpoint];
    let mut command = scene.brigade_command(args.into_iter().chain(more.iter().copied()));
    command.env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY");
    command
}

/// With this file of credentials.
fn with_file(scene: &Scene, mut command: Command, json: &str) -> Command {
    std::fs::write(scene.path("credentials.json"), json).unwrap();
    command.env("GOOGLE_APPLICATION_CREDENTIALS", scene.path("credentials.json"));
    command
}

/// A person's credentials, whose tokens come from here.
fn of_a_user(giver: &Scripted) -> String {
    format!(
        r#"{{"type":"authorized_user","client_id":"id","client_secret":"a client's secret","refresh_token":"to refresh",
            "token_uri":"{}/token"}}"#,
        giver.server().endpoint
    )
}

#[test]
fn a_user_is_known_by_a_token() {
    let scene = scene(3);
    let giver = Scripted::start(|_| token(TOKEN));
    let run = || with_file(&scene, up(&scene, &[]), &of_a_user(&giver));
    Ended::of(run()).exits(1).complains("AuthenticationRequired");
    assert!(scene.objects().is_empty());
    scene.log().google_terms().accept(TOKEN);
    Ended::of(run()).exits(0).summary().counts([("created", 3)]);
    Ended::of(run()).exits(0).summary().counts([("in_step", 3)]);
}

#[test]
fn the_file_of_gcloud_is_found_without_being_named() {
    let scene = scene(1);
    let giver = Scripted::start(|_| token(TOKEN));
    std::fs::create_dir_all(scene.path(".config/gcloud")).unwrap();
    std::fs::write(scene.path(".config/gcloud/application_default_credentials.json"), of_a_user(&giver)).unwrap();
    scene.log().google_terms().accept(TOKEN);
    Ended::of(up(&scene, &[])).exits(0).summary().counts([("created", 1)]);
}

#[test]
fn a_machine_is_known_by_its_metadata_service() {
    let scene = scene(3);
    let giver = Scripted::start(|asked| match asked.header("metadata-flavor") {
        Some("Google") if asked.target.starts_with("/computeMetadata/v1/instance/service-accounts/default/token") => {
            token(TOKEN)
        }
        _ => Reply::refusal("404 Not Found", "NotFound"),
    });
    scene.log().google_terms().accept(TOKEN);
    let mut command = up(&scene, &[]);
    command.env("GCE_METADATA_HOST", giver.server().endpoint.trim_start_matches("http://"));
    Ended::of(command).exits(0).summary().counts([("created", 3)]);
}

#[test]
fn a_service_account_signs_its_token_itself() {
    let scene = scene(3);
    let account = "keeper@project.iam.gserviceaccount.com";
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap().serialize_pem().replace('\n', "\\n");
    let json = format!(
        r#"{{"type":"service_account","project_id":"project","private_key_id":"1","private_key":"{key}",
            "client_email":"{account}","token_uri":"http://127.0.0.1:9/token"}}"#
    );
    scene.log().google_terms().accept(account);
    Ended::of(with_file(&scene, up(&scene, &[]), &json)).exits(0).summary().counts([("created", 3)]);
}

#[test]
fn a_workload_of_elsewhere_exchanges_its_token() {
    let scene = scene(3);
    let giver = Scripted::start(|asked| match asked.target.as_str() {
        "/v1/token" => token(TOKEN),
        _ => Reply::refusal("404 Not Found", "NotFound"),
    });
    std::fs::write(scene.path("subject"), "whoever it is elsewhere").unwrap();
    let json = format!(
        r#"{{"type":"external_account","audience":"//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/q",
            "subject_token_type":"urn:ietf:params:oauth:token-type:jwt","token_url":"{}/v1/token",
            "credential_source":{{"file":"{}"}}}}"#,
        giver.server().endpoint,
        scene.arg("subject")
    );
    scene.log().google_terms().accept(TOKEN);
    Ended::of(with_file(&scene, up(&scene, &[]), &json)).exits(0).summary().counts([("created", 3)]);
}

/// Ends the first token while a run with it is on; from then on these are given.
fn ended_on_the_way(then: &'static str) -> (Scene, Ended) {
    let scene = scene(200);
    let calls = AtomicUsize::new(0);
    let giver = Scripted::start(move |_| token(if calls.fetch_add(1, Ordering::Relaxed) == 0 { TOKEN } else { then }));
    scene.log().google_terms().accept(TOKEN);
    scene.log().google_terms().accept(NEXT);
    scene.log().hold_the("PutObject", &[50]);
    let command = with_file(&scene, up(&scene, &["--jobs", "4"]), &of_a_user(&giver));
    let ended = Ended::of_while(command, || {
        scene.log().wait_for_number("PutObject", 50);
        scene.log().google_terms().end(TOKEN);
        scene.log().release();
    });
    (scene, ended)
}

#[test]
fn a_token_that_is_refused_on_the_way_is_fetched_anew() {
    let (scene, ended) = ended_on_the_way(NEXT);
    ended.exits(0).summary().counts([("created", 200)]);
    assert_eq!(scene.objects().len(), 200);
    assert!(scene.log().refused() <= 4, "{}", scene.log().refused());
}

#[test]
fn where_the_next_token_is_refused_too_the_run_stops() {
    let (scene, ended) = ended_on_the_way("ya29.nobody's");
    ended
        .exits(1)
        .complains("does not accept the credentials any more")
        .complains("the same command goes on from here");
    let stored = scene.objects().len();
    assert!((49..200).contains(&stored), "{stored}");
}

#[test]
fn without_credentials_nothing_is_sent() {
    let scene = scene(1);
    scene.log().forget_requests();
    let missing = |mut command: Command| {
        command.env("GCE_METADATA_HOST", "127.0.0.1:9");
        Ended::of(command).exits(1)
    };
    missing(up(&scene, &[])).complains("the metadata service of the machine");
    missing(with_file(&scene, up(&scene, &[]), "{")).complains("GOOGLE_APPLICATION_CREDENTIALS");
    assert_eq!(scene.log().requests(), 0);
}

#[test]
fn a_token_is_not_sent_where_it_can_be_overheard() {
    let scene = scene(1);
    let giver = Scripted::start(|_| token(TOKEN));
    let mut command = with_file(&scene, up(&scene, &[]), &of_a_user(&giver));
    command.args(["--dest-endpoint-url", "http://192.0.2.1:9"]);
    Ended::of(command).exits(1).complains("https");
}

/// The credentials may name a project too.
#[test]
fn who_pays_is_whom_the_user_names() {
    let scene = scene(1);
    let giver = Scripted::start(|_| token(TOKEN));
    scene.log().google_terms().accept(TOKEN);
    scene.log().google_terms().be_paid_by("payer");
    let credentials = of_a_user(&giver).replacen('{', r#"{"quota_project_id":"theirs","#, 1);
    Ended::of(with_file(&scene, up(&scene, &[]), &credentials)).exits(1).complains("UserProjectMissing");
    let mut command = with_file(&scene, up(&scene, &["--request-payer"]), &credentials);
    command.env("GOOGLE_CLOUD_PROJECT", "payer");
    Ended::of(command).exits(0).summary().counts([("created", 1)]);
}

/// On its way to a service on this machine, it would leave the machine for the proxy.
#[test]
fn a_token_is_not_sent_through_a_proxy_that_could_read_it() {
    let scene = scene(1);
    let giver = Scripted::start(|_| token(TOKEN));
    scene.log().google_terms().accept(TOKEN);
    scene.log().forget_requests();
    let proxy = Proxy::open();
    let endpoint = scene.log().google().endpoint.replace("127.0.0.1", "localhost");
    let mut command = with_file(&scene, up(&scene, &[]), &of_a_user(&giver));
    command.args(["--dest-endpoint-url", &endpoint]);
    // Whatever gives the tokens is asked without it.
    command.env("http_proxy", format!("http://{}", proxy.address)).env("no_proxy", "127.0.0.1");
    Ended::of(command).exits(1).complains("(which http_proxy names), is not encrypted, and a token of Google's");
    assert_eq!((proxy.heads().len(), scene.log().requests()), (0, 0));
}
