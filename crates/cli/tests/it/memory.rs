//! Peak memory: it does not grow with the number of objects.

use crate::harness::{Ended, Files, Scene, tool};

const OBJECTS: u64 = 100_000;

/// The bound, in KiB, as the system counts resident memory.
const BOUND: u64 = 64 * 1024;

/// Runs a command, and writes the largest resident set, in KiB, that it ever had.
const MEASURE: &str = "\
import resource, subprocess, sys
code = subprocess.call(sys.argv[1:])
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(code)";

fn peak_memory<const N: usize>(scene: &Scene, args: [&str; N]) -> u64 {
    let mut command = scene.command(&tool("python3"));
    command.args(["-c", MEASURE, env!("CARGO_BIN_EXE_brigade")]).args(args);
    Ended::of(command).exits(0).stdout.trim().parse().unwrap()
}

#[test]
fn many_objects_take_no_more_memory() {
    let scene = Scene::served_apart();
    let mut files = Files::default();
    for number in 0..OBJECTS {
        files.put(&format!("d{:03}/f{number:06}", number % 200), number.to_string());
    }
    scene.write("tree", &files);
    let (tree, bucket, copy) = (scene.arg("tree"), scene.url(""), scene.arg("copy"));
    for (what, source, dest) in
        [("up", &tree, &bucket), ("up again", &tree, &bucket), ("down", &bucket, &copy), ("down again", &bucket, &copy)]
    {
        let peak = peak_memory(&scene, ["sync", source, dest, "--quiet"]);
        println!("{OBJECTS} objects {what}: {peak} KiB at most");
        assert!(peak < BOUND, "{what}: {peak} KiB");
    }
    scene.read("copy").assert_are(&files);
    for (what, source, dest) in [("up", &tree, &bucket), ("down", &bucket, &copy)] {
        for sample in ["--percent=100", "--sample=1000"] {
            let peak = peak_memory(&scene, ["check", source, dest, "--quiet", sample]);
            println!("{OBJECTS} objects checked {what}, {sample}: {peak} KiB at most");
            assert!(peak < BOUND, "check {what} {sample}: {peak} KiB");
        }
    }
}
