//! The progress bar on a terminal, and nowhere else.

use crate::harness::{Ended, Files, Scene, Terminal, screen};

/// A scene with three files to send, of which the server keeps one waiting and refuses another.
fn busy() -> (Scene, [String; 3]) {
    let scene = Scene::embedded();
    scene.write("tree", &Files::new([("one", b"1"), ("refused", b"22"), ("waiting", b"333")]));
    scene.log().hold("PutObject", "waiting");
    scene.log().refuse("PutObject", "refused");
    let args = ["sync".to_owned(), scene.arg("tree"), scene.url("")];
    (scene, args)
}

/// Waits until the server has refused one of them and keeps the other: then both rules have done their work.
fn wait_until_all_but_one_is_sent(scene: &Scene) {
    scene.log().wait_for("PutObject", "waiting");
    scene.log().wait_for_answer("PutObject", "refused");
}

/// What the bar says once all is sent but the waiting file.
const WAITING: &str = "1 failed, 2 of 3 done";

/// Everything that was drawn as a bar: what ends by going back to its beginning.
fn bars(written: &str) -> Vec<&str> {
    let drawn = written.split("\u{1b}[J").filter_map(|part| part.strip_suffix('\r'));
    drawn.map(|part| part.rsplit_once('\n').map_or(part, |(_, last)| last)).filter(|part| !part.is_empty()).collect()
}

#[test]
fn a_bar_is_drawn_and_nothing_of_it_is_left_behind() {
    let (scene, args) = busy();
    let mut terminal = Terminal::start(&scene.brigade_command(args), 100);
    terminal.wait_for(WAITING, 0);
    scene.log().heal();
    let (code, written) = terminal.end();
    assert_eq!(code, Some(3), "{written}");
    let lines = screen(&written);
    assert!(lines[0].starts_with("failed: refused: "), "{lines:#?}");
    assert!(lines[1].starts_with("in step "), "{lines:#?}");
    assert!(
        !lines.iter().any(|line| line.contains("[=") || line.contains("[>") || line.contains(" of 3 done")),
        "{lines:#?}"
    );
    assert!(bars(&written).iter().any(|bar| bar.starts_with("[===") && bar.contains(WAITING)), "{written:?}");
}

#[test]
fn lines_stand_above_the_bar() {
    let (scene, args) = busy();
    scene.log().hold("PutObject", "one");
    let mut terminal = Terminal::start(&scene.brigade_command(args.into_iter().chain(["-v".to_owned()])), 100);
    let drawn = terminal.wait_for(" of 3 done", 0);
    scene.log().heal();
    terminal.wait_for("upload one", drawn);
    let (_, written) = terminal.end();
    let lines = screen(&written);
    for whole in ["upload one", "upload waiting"] {
        assert!(lines.iter().any(|line| line == whole), "{whole:?} is not a line of its own: {lines:#?}");
    }
}

#[test]
fn a_terminal_that_is_resized_has_no_line_that_is_wider() {
    let (scene, args) = busy();
    let mut terminal = Terminal::start(&scene.brigade_command(args), 200);
    terminal.wait_for(WAITING, 0);
    for columns in [40, 80, 20, 120, 41] {
        let start = terminal.text.len();
        terminal.resize(columns);
        // One may have been under way; the next two are drawn for this width.
        let second = terminal.wait_for("1 failed", start);
        let third = terminal.wait_for("\u{1b}[J", second);
        let end = terminal.wait_for("1 failed", third);
        let end = terminal.wait_for("\r", end);
        let bars = bars(&terminal.text[third..end]);
        assert!(!bars.is_empty(), "{:?}", terminal.text);
        assert!(bars.iter().all(|bar| bar.len() < columns.into()), "{columns}: {bars:?}");
    }
    scene.log().heal();
    let (_, written) = terminal.end();
    assert!(!screen(&written).iter().any(|line| line.contains(" of 3 done")), "{written:?}");
}

#[test]
fn an_interrupted_run_leaves_a_terminal_that_is_clean() {
    let (scene, args) = busy();
    let mut terminal = Terminal::start(&scene.brigade_command(args), 80);
    let drawn = terminal.wait_for(WAITING, 0);
    terminal.type_in("\u{3}");
    terminal.wait_for("stopping", drawn);
    scene.log().heal();
    let (code, written) = terminal.end();
    assert_eq!(code, Some(130), "{written}");
    // The cursor was never hidden, and no mode was set.
    assert!(!written.contains("\u{1b}[?"), "{written:?}");
    let lines = screen(&written);
    assert_eq!(lines.last().map(String::as_str), Some(""), "{lines:#?}");
    assert!(!lines.iter().any(|line| line.contains(" of 3 done")), "{lines:#?}");
}

#[test]
fn what_is_said_of_the_terminal_is_obeyed() {
    for (name, value, is_drawn) in [("NO_COLOR", "1", true), ("TERM", "dumb", false)] {
        let (scene, args) = busy();
        let mut command = scene.brigade_command(args);
        command.env(name, value);
        let mut terminal = Terminal::start(&command, 100);
        if is_drawn {
            terminal.wait_for(WAITING, 0);
        } else {
            wait_until_all_but_one_is_sent(&scene);
        }
        scene.log().heal();
        let (_, written) = terminal.end();
        assert_eq!(!bars(&written).is_empty(), is_drawn, "{name}: {written:?}");
        // Erasing is no colour.
        assert!(!written.replace("\u{1b}[J", "").contains('\u{1b}'), "{name}: {written:?}");
    }
}

#[test]
fn a_log_file_has_lines_alone() {
    let (scene, args) = busy();
    let log = scene.arg("log");
    let mut terminal = Terminal::start(&scene.redirected(&args, &format!("2>{log}")), 100);
    wait_until_all_but_one_is_sent(&scene);
    scene.log().heal();
    terminal.wait_for("exit code 3", 0);
    let (code, written) = terminal.end();
    assert_eq!(code, Some(3), "{written}");
    let logged = std::fs::read_to_string(log).unwrap();
    assert!(logged.starts_with("failed: refused: "), "{logged}");
    for text in [written.replace("\r\n", "\n"), logged] {
        assert!(!text.contains(['\u{1b}', '\r']) && !text.contains(" of 3 done"), "{text:?}");
    }
}

#[test]
fn a_bar_that_is_asked_for_needs_a_terminal_all_the_same() {
    let (scene, args) = busy();
    let mut command = scene.brigade_command(args);
    command.args(["--progress", "bar"]);
    let ended = Ended::of_while(command, || {
        wait_until_all_but_one_is_sent(&scene);
        scene.log().heal();
    });
    assert!(!ended.exits(3).stderr.contains(['\u{1b}', '\r']));
}
