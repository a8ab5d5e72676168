//! What Brigade's speed is measured with. `bench/run` builds and calls it:
//!
//!     brigade-bench null-server PORT [DELAY [MOST]]
//!                                                 serves synthetic buckets, DELAY milliseconds late, and refuses
//!                                                 more than MOST requests a second
//!     brigade-bench floor put|get ADDRESS BUCKET CONNECTIONS
//!     brigade-bench tree DIRECTORY BUCKET         makes the files that a synthetic bucket lists
//!
//! A synthetic bucket is called by what it holds: `flat-20000-4096` and
//! `dirs-20000-4096` are 20,000 objects of 4,096 bytes, in one directory or in
//! directories of a hundred.

mod bucket;
mod content;
mod floor;
mod null_server;
mod tree;

use std::io::{self, Write};
use std::process::ExitCode;

use bucket::Bucket;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody is left to be told if even that fails.
            let _ = writeln!(io::stderr(), "brigade-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[&str]) -> io::Result<()> {
    match arguments {
        ["null-server", port] => null_server::serve(number(port)?, 0, None),
        ["null-server", port, delay] => null_server::serve(number(port)?, number(delay)?, None),
        ["null-server", port, delay, most] => null_server::serve(number(port)?, number(delay)?, Some(number(most)?)),
        ["floor", direction, address, bucket, connections] => {
            floor::run(direction.parse()?, address, &named(bucket)?, number(connections)?)
        }
        ["tree", directory, bucket] => tree::make(directory.as_ref(), &named(bucket)?),
        _ => Err(io::Error::other("see the first lines of bench/src/main.rs")),
    }
}

fn number<N: std::str::FromStr>(text: &str) -> io::Result<N> {
    text.parse().map_err(|_| io::Error::other(format!("{text} is no number here")))
}

fn named(bucket: &str) -> io::Result<Bucket> {
    Bucket::named(bucket).ok_or_else(|| io::Error::other(format!("{bucket} names no synthetic bucket")))
}
