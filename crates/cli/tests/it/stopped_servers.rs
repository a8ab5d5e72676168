//! A real server that stands still, or dies and is started again, in the middle
//! of a run: it rides that out or says how it ended, and the next run of the same
//! command ends in step, with nothing lost.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::harness::{Ended, Files, OwnSeaweed, Scene, content};

/// Small files, and two that are sent in parts.
fn files() -> Files {
    let mut files = Files::default();
    for number in 0..300 {
        files.put(&format!("d{}/{number:03}", number % 9), format!("{number} ").repeat(number % 50 + 1));
    }
    for name in ["d4/large", "large"] {
        files.put(name, content(20 << 20));
    }
    files
}

/// A run of which something was seen already.
struct UnderWay {
    child: Child,
    stdout: BufReader<std::process::ChildStdout>,
    seen: Vec<String>,
}

impl UnderWay {
    /// Starts it, and waits until so many objects were brought over.
    fn start(mut command: Command, objects: usize) -> Self {
        let piped = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = piped.spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut seen = Vec::new();
        while brought(&seen).len() < objects {
            let mut line = String::new();
            assert_ne!(stdout.read_line(&mut line).unwrap(), 0, "it ended: {seen:?}");
            seen.push(line);
        }
        Self { child, stdout, seen }
    }

    /// Waits for its end.
    fn end(mut self) -> Ended {
        let mut rest = String::new();
        std::io::Read::read_to_string(&mut self.stdout, &mut rest).unwrap();
        let output = self.child.wait_with_output().unwrap();
        Ended {
            command: "a run whose server was stopped".to_owned(),
            code: output.status.code(),
            stdout: self.seen.concat() + &rest,
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// The keys of which it was said that they were brought over.
fn brought(lines: &[String]) -> Vec<String> {
    let events = lines.iter().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let objects = events.filter(|event| event["type"] == "object" && event["outcome"] == "sent");
    objects.map(|event| event["key"].as_str().unwrap().to_owned()).collect()
}

/// The two places, and what the second must hold in the end.
struct Stage {
    seaweed: OwnSeaweed,
    scene: Scene,
    places: [String; 2],
    is_upload: bool,
    wanted: Files,
}

fn up() -> Stage {
    let seaweed = OwnSeaweed::start();
    let scene = Scene::own(seaweed.server());
    let wanted = files();
    scene.write("tree", &wanted);
    let places = [scene.arg("tree"), scene.url("site")];
    Stage { seaweed, scene, places, is_upload: true, wanted }
}

fn down() -> Stage {
    let up = up();
    up.scene.sync(&up.places[0], &up.places[1], ["--no-ledger"]);
    Stage { places: [up.scene.url("site"), up.scene.arg("copy")], is_upload: false, ..up }
}

impl Stage {
    fn command(&self) -> Command {
        let [source, dest] = &self.places;
        self.scene.brigade_command(["sync", source, dest, "--jobs", "4", "--output", "json"])
    }

    fn dest(&self) -> Files {
        if self.is_upload { self.scene.stored("site") } else { self.scene.read("copy") }
    }

    /// What was said to be there is there; the next run brings the rest.
    fn ends_in_step(&self, first: &Ended) {
        assert!(matches!(first.code, Some(0 | 1 | 3)), "{:?}:\n{}", first.code, first.stderr);
        let lines: Vec<String> = first.stdout.lines().map(str::to_owned).collect();
        let there = self.dest();
        for key in brought(&lines) {
            assert!(there.0.get(&key) == self.wanted.0.get(&key), "{key} was lost");
        }
        if first.code == Some(0) {
            there.assert_are(&self.wanted);
        } else {
            let (failed, said) = (first.summary().0, &first.stderr);
            assert!(said.contains("error: ") || said.contains("failed: "), "nothing says why: {failed}\n{said}");
        }
        let next = Ended::of(self.command()).exits(0).summary();
        let wanted = self.wanted.count();
        let counted = next.0["in_step"].as_u64().unwrap() + next.0["created"].as_u64().unwrap();
        assert_eq!(counted, wanted, "{}", next.0);
        self.dest().assert_are(&self.wanted);
        let last = Ended::of(self.command()).exits(0).summary();
        last.counts([("in_step", wanted)]);
        assert!(!self.scene.path("tmp").read_dir().unwrap().any(|_| true), "temporary files are left");
    }
}

#[test]
fn a_server_that_stands_still_for_a_while_is_waited_for() {
    let stage = down();
    let run = UnderWay::start(stage.command(), 40);
    stage.seaweed.pause();
    thread::sleep(Duration::from_secs(3));
    stage.seaweed.resume();
    let ended = run.end().exits(0);
    stage.ends_in_step(&ended);
}

fn dies_and_comes_back(mut stage: Stage) {
    let run = UnderWay::start(stage.command(), 40);
    stage.seaweed.kill();
    stage.seaweed.start_again();
    let ended = run.end();
    stage.ends_in_step(&ended);
}

#[test]
fn a_server_that_dies_during_an_upload_and_comes_back_loses_nothing() {
    dies_and_comes_back(up());
}

#[test]
fn a_server_that_dies_during_a_download_and_comes_back_loses_nothing() {
    dies_and_comes_back(down());
}
