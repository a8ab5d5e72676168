//! What a kill -9 leaves behind: temporary files, which the next run removes, and nobody else's.

use crate::harness::{Files, Running, Scene};

fn interrupted_download(scene: &Scene) -> Running {
    let files = Files::new([("large", &vec![7; 17 << 20][..]), ("small", b"1")]);
    scene.write("origin", &files);
    scene.sync(&scene.arg("origin"), &scene.url(""), []);
    scene.log().stall("GetObject", "large");
    scene.log().forget_requests();
    let running = Running::start(scene.brigade_command(["sync", &scene.url(""), &scene.arg("tree")]));
    scene.log().wait_for("GetObject", "large");
    running
}

fn temporaries(scene: &Scene) -> Vec<String> {
    let is_ours = |path: &&str| path.starts_with(".brigade-") && *path != ".brigade-notes";
    scene.read("tree").paths().into_iter().filter(is_ours).map(str::to_owned).collect()
}

#[test]
fn what_a_killed_run_left_is_removed_by_the_next_one() {
    let scene = Scene::embedded();
    let running = interrupted_download(&scene);
    assert_eq!(temporaries(&scene).len(), 1);
    drop(running);
    scene.log().heal();
    let (url, tree) = (scene.url(""), scene.arg("tree"));

    scene.brigade(["sync", &url, &tree, "--dry-run"]).exits(0);
    scene.brigade(["sync", &tree, &scene.url("elsewhere")]).exits(0);
    assert_eq!(temporaries(&scene).len(), 1, "neither a dry run nor a source is changed");

    std::fs::write(scene.path("tree/.brigade-notes"), "mine").unwrap();
    let name = temporaries(&scene).remove(0);
    scene.brigade(["sync", &url, &tree, "-v"]).exits(0).complains(&format!("removed the temporary file {name}"));
    assert_eq!(temporaries(&scene), Vec::<String>::new());
    assert_eq!(std::fs::read(scene.path("tree/.brigade-notes")).unwrap(), b"mine");
}

#[test]
fn what_another_run_still_writes_stays() {
    let scene = Scene::embedded();
    let _running = interrupted_download(&scene);
    let before = temporaries(&scene);
    assert_eq!(before.len(), 1);
    scene.sync(&scene.url(""), &scene.arg("tree"), ["--exclude", "large", "--no-ledger"]);
    assert_eq!(temporaries(&scene), before);
}
