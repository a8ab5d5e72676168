//! What a person reads, word for word: help, typical runs, and each kind of
//! error. CONTRIBUTING.md says how to accept a change.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use brigade_devserver::Conditions;
use insta::assert_snapshot;

use crate::harness::{Ended, Files, Scene};

/// A tree of two files, and an empty bucket.
fn two_files() -> Scene {
    let scene = Scene::embedded();
    scene.write("tree", &Files::new([("one", b"1"), ("sub/two", b"22")]));
    scene
}

/// `brigade ARGS`, where every machine is the same.
fn command(scene: &Scene, args: &[&str]) -> Command {
    let mut command = scene.brigade_command(args);
    command.env("COLUMNS", "100").env("TERM", "dumb");
    command
}

/// The command line, with BUCKET for the scene's own, and all that came of it.
fn transcript(scene: &Scene, line: &str) -> String {
    let bucket = scene.url("");
    let args: Vec<String> = line.split_whitespace().map(|word| word.replace("BUCKET", &bucket)).collect();
    let ended = Ended::of(command(scene, &args.iter().map(String::as_str).collect::<Vec<_>>()));
    let said = format!(
        "$ brigade {line}\nexit code {:?}\n-- standard output\n{}-- standard error\n{}",
        ended.code.unwrap(),
        ended.stdout,
        ended.stderr
    );
    normalised(scene, &said)
}

/// The same text on every machine and at any time.
fn normalised(scene: &Scene, text: &str) -> String {
    let scratch = scene.arg("");
    let host = scene.server.endpoint.trim_start_matches("http://");
    let same = text.replace(&scratch, "[SCRATCH]/").replace(host, "[SERVER]").replace(&scene.bucket, "bucket");
    // How often progress is told depends on the machine.
    let lines = same.lines().filter(|line| !line.contains("\"type\":\"progress\""));
    let mut lines: Vec<String> = lines.map(without_times).collect();
    lines.push(String::new());
    lines.join("\n")
}

/// A line without how long something took, when it happened, and which request it was.
fn without_times(line: &str) -> String {
    if let Some((start, _)) = line.split_once("  in ").filter(|(start, _)| start.ends_with('B')) {
        return format!("{start}  in [TIME]");
    }
    let mut line = blanked(line, "\"seconds\":", ',');
    line = blanked(&line, "(request ", ')');
    line = blanked(&line, "\"inode\":", '}');
    let moment = |word: &str| word.contains("20") && word.contains('T') && word.contains('Z') && word.contains(':');
    let words = line.split(' ').map(|word| match word.find("20").filter(|_| moment(word)) {
        Some(start) if !line.starts_with('{') => {
            format!("{}[TIME]{}", &word[..start], &word[word.rfind('Z').unwrap() + 1..])
        }
        _ => word.to_owned(),
    });
    let line = words.collect::<Vec<_>>().join(" ");
    ["\"modified\":\"", "\"changed\":\""].iter().fold(line, |line, start| blanked(&line, start, '"'))
}

/// The line with whatever stands between these blanked, each time.
fn blanked(line: &str, start: &str, end: char) -> String {
    let mut parts = line.split(start);
    let mut blanked = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.find(end).map_or("", |found| &part[found..]);
        blanked = format!("{blanked}{start}[...]{rest}");
    }
    blanked
}

#[test]
fn help() {
    let scene = Scene::embedded();
    for name in [
        "",
        "sync",
        "explain",
        "check",
        "ls",
        "du",
        "cat",
        "restore",
        "rm",
        "cleanup",
        "prune",
        "versions",
        "probe",
        "config",
        "serve",
        "demo",
        "completions",
        "man",
    ] {
        for (option, length) in [("-h", "short"), ("--help", "long")] {
            let args: Vec<&str> = [name, option].into_iter().filter(|word| !word.is_empty()).collect();
            let ended = Ended::of(command(&scene, &args)).exits(0);
            assert_eq!(ended.stderr, "");
            let name = if name.is_empty() { "brigade" } else { name };
            assert_snapshot!(format!("help-{name}-{length}"), ended.stdout);
        }
    }
}

#[test]
fn runs() {
    let scene = two_files();
    let mut said = Vec::new();
    said.push(transcript(&scene, "sync tree BUCKET --jobs 1 -v"));
    said.push(transcript(&scene, "sync tree BUCKET"));
    scene.write("tree", &Files::new([("one", b"changed")]));
    said.push(transcript(&scene, "sync tree BUCKET --delete --dry-run"));
    said.push(transcript(&scene, "explain tree BUCKET sub/two --delete"));
    said.push(transcript(&scene, "explain tree BUCKET one --exclude *.tmp"));
    said.push(transcript(&scene, "sync tree BUCKET --delete --exclude *.tmp"));
    said.push(transcript(&scene, "sync BUCKET copy -q"));
    said.push(transcript(&scene, "check BUCKET copy -v --jobs 1"));
    said.push(transcript(&scene, "check tree BUCKET --sample 1 --seed 1"));
    said.push(transcript(&scene, "ls BUCKET"));
    assert_snapshot!(said.join("\n"));
}

#[test]
fn runs_as_json() {
    let scene = two_files();
    let lines = [
        "sync tree BUCKET --jobs 1 --output json",
        "explain tree BUCKET one --output json",
        "explain tree BUCKET none --output json",
        "ls BUCKET --output json",
        "check tree BUCKET --output json --jobs 1",
        "sync tree s3://no-such-bucket --output json",
    ];
    assert_snapshot!(lines.map(|line| transcript(&scene, line)).join("\n"));
}

/// What a probe says from its trials on: what stands before is of the machine.
fn trials(scene: &Scene, args: &[&str]) -> String {
    let url = scene.url("");
    let args: Vec<&str> = ["probe", &url].iter().chain(args).copied().collect();
    let said = Ended::of(command(scene, &args)).exits(0).stdout;
    let (_, trials) = said.split_once("\n\n").unwrap();
    let lines = trials.lines().map(|line| match line.rsplit_once(" in /") {
        Some((before, _)) => format!("{before} in [FILE]\n"),
        None => format!("{line}\n"),
    });
    format!("$ brigade {}\n{}", args.join(" ").replace(&url, "BUCKET"), lines.collect::<String>())
}

#[test]
fn what_a_probe_finds_out() {
    let scene = Scene::embedded();
    let mut said = vec![trials(&scene, &[]), trials(&scene, &["--write"])];
    scene.log().terms().treat_conditions(Conditions::IgnoredEveryOtherTime);
    said.push(trials(&scene, &["--write"]));
    scene.log().terms().treat_conditions(Conditions::Ignored);
    said.push(trials(&scene, &["--write", "--provider", "brigade-dev"]));
    assert_snapshot!(said.join("\n"));
}

#[test]
fn what_is_wrong_with_a_command_line() {
    let scene = two_files();
    let lines = [
        "",
        "sink tree BUCKET",
        "sync tree",
        "sync tree BUCKET --exlude *.tmp",
        "sync tree BUCKET --compare guess",
        "sync tree BUCKET --max-delete 5",
        "sync tree BUCKET --delete --max-delete many",
        "sync tree BUCKET --exclude [z-a",
        "sync tree BUCKET --exclude-from nothing",
        "sync tree tree/below",
        "sync tree s3://",
        "sync tree s3://b",
        "sync tree gs://",
        "sync BUCKET/p BUCKET",
        "explain tree BUCKET s3://elsewhere/one",
        "cleanup BUCKET",
        "cleanup BUCKET --older-than 7",
        "cleanup tree --older-than 7d",
        "prune BUCKET",
        "prune tree --older-than 30d",
        "versions tree",
        "probe tree",
    ];
    assert_snapshot!(lines.map(|line| transcript(&scene, line)).join("\n"));
}

#[test]
fn what_keeps_a_run_from_its_end() {
    let scene = two_files();
    fs::create_dir(scene.path("empty")).unwrap();
    scene.put("kept", b"1");
    scene.put("also-kept", b"1");
    let mut said = vec![
        transcript(&scene, "sync nowhere BUCKET"),
        transcript(&scene, "sync tree/one BUCKET"),
        transcript(&scene, "sync tree s3://no-such-bucket"),
        transcript(&scene, "sync empty BUCKET"),
        transcript(&scene, "sync tree BUCKET --jobs 1 --delete --max-delete 1"),
        transcript(&scene, "sync tree BUCKET --no-sign-request"),
        transcript(&scene, "explain tree s3://no-such-bucket one"),
        transcript(&scene, "ls s3://no-such-bucket"),
        transcript(&scene, "cleanup s3://no-such-bucket --older-than 7d"),
        transcript(&scene, "prune s3://no-such-bucket --older-than 30d"),
        transcript(&scene, "prune BUCKET --older-than 30d"),
        transcript(&scene, "versions s3://no-such-bucket"),
    ];
    scene.log().refuse_all("ListObjectsV2");
    said.push(transcript(&scene, "sync tree BUCKET"));
    assert_snapshot!(said.join("\n"));
}

#[test]
fn what_fails_for_one_object() {
    let scene = two_files();
    symlink("nowhere", scene.path("tree/broken")).unwrap();
    fs::write(scene.path("tree").join("x".repeat(200)), "1").unwrap();
    scene.put("gone", b"1");
    scene.log().refuse("PutObject", "one");
    let mut said = vec![transcript(&scene, "sync tree BUCKET --jobs 1 --delete")];
    scene.log().heal();
    scene.put("a//b", b"1");
    scene.log().refuse("GetObject", "gone");
    fs::create_dir(scene.path("copy")).unwrap();
    symlink("../tree", scene.path("copy/sub")).unwrap();
    // One of them shows while planning, the other one when its turn comes: together, either may be first.
    said.push(transcript(&scene, "sync BUCKET copy --jobs 1 --no-ledger --exclude a/**"));
    said.push(transcript(&scene, "sync BUCKET copy --jobs 1 --no-ledger --exclude sub/**"));
    assert_snapshot!(said.join("\n"));
}
