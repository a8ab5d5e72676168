//! `brigade demo`: a small site goes up, is changed, goes up again and comes
//! back, with real commands against a server inside this process.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use brigade_devserver::{Config, Server};
use tempfile::TempDir;
use tokio::process::Command;

use crate::exit::Exit;
use crate::output::{self, Streams, To};
use crate::resolve::serve::Credentials;
use crate::signals::Stop;

const BUCKET: &str = "demo";

const INTRODUCTION: &str = "\
A small site in a temporary directory, and an S3 server inside this process.
";

const FAREWELL: &str = "
What to type next:
  brigade sync DIRECTORY s3://BUCKET --dry-run   what would be sent, with your own credentials
  brigade serve DIRECTORY                        this server, to try things on
  brigade help sync                              every option
";

/// Runs the command.
pub(crate) async fn run(mut streams: Streams, stop: &Stop) -> Exit {
    let shown = tokio::select! {
        // Ctrl-C reaches the command under way as well: that it ended is then no news.
        biased;
        () = stop.token.cancelled() => return Exit::Interrupted(stop.signal()),
        shown = show(&mut streams) => shown,
    };
    let exit = match shown {
        Ok(()) => Exit::InStep,
        Err(reason) => {
            output::error(&mut streams, &format!("the demo went wrong: {reason}"));
            Exit::CouldNotRun
        }
    };
    output::unless_unwritten(&mut streams, exit)
}

async fn show(streams: &mut Streams) -> Result<(), String> {
    let stage = Stage::set().await?;
    let site = stage.path("site");
    streams.text(To::Out, INTRODUCTION);
    write(
        &site,
        &[
            ("index.html", "<title>Brigade</title><h1>Many hands, one line</h1>\n"),
            ("about.html", "<title>About</title><p>Buckets passed from hand to hand.\n"),
            ("css/style.css", "body { font-family: sans-serif }\n"),
            ("images/bucket.svg", "<svg xmlns='http://www.w3.org/2000/svg'><path d='M2 2h12l-2 12H4z'/></svg>\n"),
        ],
    )?;
    stage.run(streams, "Send the site up.", &["sync", "site", "s3://demo/site"]).await?;

    write(
        &site,
        &[
            ("index.html", "<title>Brigade</title><h1>Many hands, one line</h1><p>Now with news.\n"),
            ("news/first.html", "<title>News</title><p>A new page.\n"),
        ],
    )?;
    fs::remove_file(site.join("about.html")).map_err(|error| error.to_string())?;
    let changed = "One page was edited, one added, one deleted. Look first, then send what changed.";
    stage.run(streams, changed, &["sync", "site", "s3://demo/site", "--delete", "--dry-run"]).await?;
    stage.run(streams, "", &["sync", "site", "s3://demo/site", "--delete", "--verbose"]).await?;
    stage.run(streams, "What is in the bucket now.", &["ls", "s3://demo/site", "--recursive"]).await?;
    stage.run(streams, "Bring it back to another directory.", &["sync", "s3://demo/site", "copy"]).await?;

    let files = compare(&site, &stage.path("copy"))?;
    streams.text(To::Out, &format!("\nsite and copy hold the same {files} files, byte for byte.\n"));
    streams.text(To::Out, FAREWELL);
    stage.server.stop().await;
    Ok(())
}

/// What the commands run in. It is removed with everything in it when it is dropped.
struct Stage {
    directory: TempDir,
    server: Server,
    credentials: Credentials,
    program: PathBuf,
}

impl Stage {
    async fn set() -> Result<Self, String> {
        let directory = TempDir::with_prefix("brigade-demo-")
            .map_err(|error| format!("could not make a temporary directory: {error}; set TMPDIR to another place"))?;
        let credentials = Credentials::new().map_err(|error| error.to_string())?;
        let config = Config {
            buckets: vec![BUCKET.to_owned()],
            record_requests: false,
            ..Config::new(directory.path().join("server"), credentials.for_server())
        };
        let server = Server::start(config).await.map_err(|error| error.to_string())?;
        let program = env::current_exe().map_err(|error| format!("this program doesn't find itself: {error}"))?;
        Ok(Self { directory, server, credentials, program })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Runs a command of this program as a process of its own, as a shell would, and shows it and what it says.
    async fn run(&self, streams: &mut Streams, why: &str, arguments: &[&str]) -> Result<(), String> {
        let why = if why.is_empty() { String::new() } else { format!("\n{why}") };
        streams.text(To::Out, &format!("{why}\n$ brigade {}\n", arguments.join(" ")));
        streams.flush();
        let mut command = Command::new(&self.program);
        command.args(arguments).current_dir(self.directory.path()).kill_on_drop(true);
        self.set_environment(&mut command);
        let status = command.status().await.map_err(|error| format!("could not run the command: {error}"))?;
        if status.success() { Ok(()) } else { Err(format!("that command ended with {status}")) }
    }

    /// Only this server is reached, whatever the user's environment and AWS files say.
    fn set_environment(&self, command: &mut Command) {
        for (name, _) in env::vars_os() {
            let upper = name.to_string_lossy().to_ascii_uppercase();
            if upper.starts_with("AWS_") || upper.ends_with("_PROXY") {
                command.env_remove(name);
            }
        }
        command
            .env("AWS_ACCESS_KEY_ID", &self.credentials.access_key_id)
            .env("AWS_SECRET_ACCESS_KEY", &self.credentials.secret_access_key)
            .env("AWS_ENDPOINT_URL", self.server.url())
            .env("AWS_REGION", "us-east-1")
            .env("AWS_CONFIG_FILE", "/dev/null")
            .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
            // What is remembered goes with the demo.
            .env("BRIGADE_STATE_DIR", self.path("state"));
    }
}

fn write(directory: &Path, files: &[(&str, &str)]) -> Result<(), String> {
    for (path, content) in files {
        let path = directory.join(path);
        let written = path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(&path, content));
        written.map_err(|error| format!("could not write {}: {error}", path.display()))?;
    }
    Ok(())
}

/// Compares two trees byte for byte, and says how many files each has.
fn compare(one: &Path, other: &Path) -> Result<usize, String> {
    let read = |root: &Path| read_tree(root).map_err(|error| format!("could not read {}: {error}", root.display()));
    let (one, other) = (read(one)?, read(other)?);
    let differing = one.keys().chain(other.keys()).find(|path| one.get(*path) != other.get(*path));
    match differing {
        None => Ok(one.len()),
        Some(path) => Err(format!("{} came back different", path.display())),
    }
}

/// The files of a tree, by their paths below its root.
fn read_tree(root: &Path) -> io::Result<BTreeMap<PathBuf, Vec<u8>>> {
    let mut files = BTreeMap::new();
    let mut directories = vec![root.to_owned()];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory)? {
            let path = entry?.path();
            if path.is_dir() {
                directories.push(path);
            } else {
                let below = path.strip_prefix(root).map_err(io::Error::other)?.to_owned();
                files.insert(below, fs::read(&path)?);
            }
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trees_are_compared_by_their_bytes() {
        let root = tempfile::tempdir().unwrap();
        let (one, other) = (root.path().join("one"), root.path().join("other"));
        for tree in [&one, &other] {
            write(tree, &[("a", "same"), ("sub/b", "also the same")]).unwrap();
        }
        assert_eq!(compare(&one, &other), Ok(2));
        write(&other, &[("sub/b", "also THE same")]).unwrap();
        assert_eq!(compare(&one, &other), Err("sub/b came back different".to_owned()));
        write(&other, &[("sub/b", "also the same"), ("sub/c", "")]).unwrap();
        assert_eq!(compare(&one, &other), Err("sub/c came back different".to_owned()));
        fs::remove_file(other.join("sub/c")).unwrap();
        fs::remove_file(other.join("a")).unwrap();
        assert_eq!(compare(&one, &other), Err("a came back different".to_owned()));
    }
}
