//! When deletions are refused, and what stays out of their reach.

mod dry;
mod failed;
mod held_back;
mod kept;
mod looked_up;
mod many;

use crate::harness::{Ended, Files, Scene, on_both_servers};

const TEN: [&str; 10] = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"];

fn files(names: &[&str]) -> Files {
    let mut files = Files::default();
    for name in names {
        files.put(name, *name);
    }
    files
}

/// A scene whose bucket has ten objects and whose tree has the first seven of them.
fn three_too_many(scene: Scene) -> Scene {
    scene.write("tree", &files(&TEN));
    scene.sync(&scene.arg("tree"), &scene.url("site"), []);
    scene.write("tree", &files(&TEN[..7]));
    scene
}

/// What makes the embedded server be trusted with bulk deletions and conditions.
const TRUSTED: [&str; 2] = ["--provider", "brigade-dev"];

/// A sync of the tree with the bucket's `site`, up or down.
#[derive(Clone, Copy, Debug)]
enum Direction {
    Up,
    Down,
}

/// Both directions, on embedded servers: each time the tree `tree` and the
/// bucket's `site` hold the same files.
fn both_ways(same: &Files) -> [(Direction, Scene); 2] {
    [Direction::Up, Direction::Down].map(|direction| {
        let scene = Scene::embedded();
        scene.write("tree", same);
        scene.sync(&scene.arg("tree"), &scene.url("site"), []);
        (direction, scene)
    })
}

impl Direction {
    /// The command line, with `--delete`.
    fn args(self, scene: &Scene) -> Vec<String> {
        let (tree, site) = (scene.arg("tree"), scene.url("site"));
        let [source, dest] = match self {
            Self::Up => [tree, site],
            Self::Down => [site, tree],
        };
        ["sync", &source, &dest, "--delete", "--output", "json"].map(str::to_owned).into()
    }

    fn sync<const N: usize>(self, scene: &Scene, more: [&str; N]) -> Ended {
        scene.brigade(self.args(scene).into_iter().chain(more.map(str::to_owned)))
    }

    /// Makes the destination have this as well.
    fn add_to_dest(self, scene: &Scene, key: &str, content: &str) {
        match self {
            Self::Up => scene.put(&format!("site/{key}"), content.as_bytes()),
            Self::Down => add_file(scene, key, content),
        }
    }

    /// Makes the source have this as well.
    fn add_to_source(self, scene: &Scene, key: &str, content: &str) {
        match self {
            Self::Up => add_file(scene, key, content),
            Self::Down => scene.put(&format!("site/{key}"), content.as_bytes()),
        }
    }

    /// What the destination holds.
    fn dest(self, scene: &Scene) -> Files {
        match self {
            Self::Up => scene.stored("site"),
            Self::Down => scene.read("tree"),
        }
    }
}

fn add_file(scene: &Scene, path: &str, content: &str) {
    let path = scene.path("tree").join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, content).unwrap();
}

/// The outcome that was told of a key, and why.
fn outcome(ended: &Ended, key: &str) -> (String, String) {
    let event = ended.events().into_iter().find(|event| event["type"] == "object" && event["key"] == key);
    let event = event.unwrap_or_else(|| panic!("nothing was told of {key}:\n{}", ended.stdout));
    let text = |name: &str| event[name].as_str().unwrap_or_default().to_owned();
    (text("outcome"), text("reason"))
}

on_both_servers! {
    fn more_than_max_delete_is_refused_and_nothing_deleted(scene) {
        let scene = three_too_many(scene);
        let (tree, site) = (scene.arg("tree"), scene.url("site"));
        for limit in ["0", "2", "29%"] {
            let ended = scene.brigade(["sync", &tree, &site, "--delete", "--max-delete", limit]);
            ended.exits(4).complains("--max-delete");
            scene.stored("site").assert_are(&files(&TEN));
        }
        scene.sync(&tree, &site, ["--delete", "--max-delete", "30%"]).counts([("in_step", 7), ("deleted", 3)]);
        scene.stored("site").assert_are(&files(&TEN[..7]));
    }

    fn more_than_max_delete_is_refused_in_a_directory_too(scene) {
        let scene = three_too_many(scene);
        scene.aws(["s3", "rm", "--quiet", "--recursive", &scene.url("site")]);
        scene.aws(["s3", "sync", "--quiet", &scene.arg("tree"), &scene.url("site")]);
        scene.write("copy", &files(&TEN));
        let (site, copy) = (scene.url("site"), scene.arg("copy"));
        scene.brigade(["sync", &site, &copy, "--delete", "--max-delete", "2"]).exits(4);
        scene.read("copy").assert_are(&files(&TEN));
        scene.sync(&site, &copy, ["--delete", "--max-delete", "3"]).counts([("in_step", 7), ("deleted", 3)]);
        scene.read("copy").assert_are(&files(&TEN[..7]));
    }

    fn an_empty_source_is_refused(scene) {
        let scene = three_too_many(scene);
        std::fs::create_dir(scene.path("unmounted")).unwrap();
        scene.brigade(["sync", &scene.arg("unmounted"), &scene.url("site"), "--delete"]).exits(4);
        scene.brigade(["sync", &scene.arg("unmounted"), &scene.url("site")]).exits(4);
        scene.stored("site").assert_are(&files(&TEN));
        scene.brigade(["sync", &scene.url("no/such/prefix"), &scene.arg("tree"), "--delete"]).exits(4);
        scene.read("tree").assert_are(&files(&TEN[..7]));
    }

    fn a_missing_source_ends_the_run_before_anything_is_done(scene) {
        let scene = three_too_many(scene);
        let ended = scene.brigade(["sync", &scene.arg("not-mounted"), &scene.url("site"), "--delete"]).exits(1);
        ended.complains("not-mounted");
        scene.stored("site").assert_are(&files(&TEN));
        let ended = scene.brigade(["sync", "s3://no-such-bucket/x", &scene.arg("tree"), "--delete"]).exits(1);
        ended.complains("no-such-bucket");
        scene.read("tree").assert_are(&files(&TEN[..7]));
    }
}

#[test]
fn a_refused_run_sends_no_delete_at_all() {
    let scene = three_too_many(Scene::embedded());
    scene.log().forget_requests();
    scene.brigade(["sync", &scene.arg("tree"), &scene.url("site"), "--delete", "--max-delete", "2"]).exits(4);
    scene.log().assert_only_read();
}
