//! The scene of one test: a server, a bucket of its own, a scratch directory.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use tempfile::TempDir;

use super::brigade::Summary;
use super::embedded::Embedded;
use super::scripted::Scripted;
use super::{Asked, Ended, Files, Reply, Running, Server, files_below, moto, seaweed, serve, tool, write_files};

/// The scene of one test.
pub(crate) struct Scene {
    /// Where the bucket is.
    pub(crate) server: Server,
    /// The bucket, which nobody else uses.
    pub(crate) bucket: String,
    backing: Backing,
    scratch: TempDir,
}

/// What keeps the server running.
enum Backing {
    /// The embedded server, in this process.
    Embedded(Embedded),
    /// SeaweedFS, which all tests share.
    Seaweed,
    /// moto, which all tests share.
    Moto,
    /// `brigade serve`, a process of its own, and its data.
    Apart { _running: Running, _data: TempDir },
    /// A server that does what the test says.
    Scripted(Scripted),
    /// The test itself runs it.
    Own,
}

impl Scene {
    /// With an embedded server of its own.
    pub(crate) fn embedded() -> Self {
        let embedded = Embedded::start();
        Self::new(embedded.server(), Backing::Embedded(embedded))
    }

    /// With an embedded server of its own that lets everybody in.
    pub(crate) fn public() -> Self {
        Self::public_with_pages_of(1000)
    }

    /// The same, with so many objects in a page of a listing at most.
    pub(crate) fn public_with_pages_of(page_limit: usize) -> Self {
        let embedded = Embedded::start_public(page_limit);
        let scene = Self::without_bucket(embedded.server(), Backing::Embedded(embedded));
        scene.make_bucket_unsigned();
        scene
    }

    /// With an embedded server of its own that lets everybody in, and answers as Google too: [`Embedded::google`].
    pub(crate) fn google() -> Self {
        let embedded = Embedded::start_google();
        let scene = Self::without_bucket(embedded.server(), Backing::Embedded(embedded));
        scene.make_bucket_unsigned();
        scene
    }

    /// With SeaweedFS, which all tests share.
    pub(crate) fn seaweed() -> Self {
        Self::new(seaweed::server(), Backing::Seaweed)
    }

    /// With moto, which all tests share.
    pub(crate) fn moto() -> Self {
        Self::new(moto::server(), Backing::Moto)
    }

    /// With `brigade serve`, for loads that are not to be measured together with the server.
    pub(crate) fn served_apart() -> Self {
        let data = tempfile::tempdir().unwrap();
        let (running, server) = serve(data.path(), &[]);
        Self::new(server, Backing::Apart { _running: running, _data: data })
    }

    /// With a server that does this about each request, whatever bucket it is about.
    pub(crate) fn scripted(script: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        let scripted = Scripted::start(script);
        Self::without_bucket(scripted.server(), Backing::Scripted(scripted))
    }

    /// With a server that the test itself runs.
    pub(crate) fn own(server: Server) -> Self {
        Self::new(server, Backing::Own)
    }

    fn new(server: Server, backing: Backing) -> Self {
        let scene = Self::without_bucket(server, backing);
        scene.aws(["s3api", "create-bucket", "--bucket", &scene.bucket]);
        scene
    }

    fn without_bucket(server: Server, backing: Backing) -> Self {
        static BUCKETS: AtomicU32 = AtomicU32::new(1);
        let bucket = format!("bucket-{}", BUCKETS.fetch_add(1, Ordering::Relaxed));
        let scene = Self { server, bucket, backing, scratch: tempfile::tempdir().unwrap() };
        std::fs::create_dir(scene.path("tmp")).unwrap();
        scene
    }

    /// The embedded server's log of requests, and its faults.
    pub(crate) fn log(&self) -> &Embedded {
        match &self.backing {
            Backing::Embedded(embedded) => embedded,
            Backing::Seaweed | Backing::Moto | Backing::Apart { .. } | Backing::Scripted(_) | Backing::Own => {
                panic!("only the embedded server keeps a log")
            }
        }
    }

    /// What the scripted server was asked so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        match &self.backing {
            Backing::Scripted(scripted) => scripted.asked(),
            Backing::Embedded(_) | Backing::Seaweed | Backing::Moto | Backing::Apart { .. } | Backing::Own => {
                panic!("no script is played here")
            }
        }
    }

    /// Whether the server is SeaweedFS.
    pub(crate) fn is_seaweed(&self) -> bool {
        matches!(self.backing, Backing::Seaweed)
    }

    /// Whether the server is moto.
    pub(super) fn is_moto(&self) -> bool {
        matches!(self.backing, Backing::Moto)
    }

    /// A path in the scratch directory.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }

    /// The same as text, for a command line.
    pub(crate) fn arg(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    /// The URL of a prefix in the bucket; of the bucket, for an empty one.
    pub(crate) fn url(&self, prefix: &str) -> String {
        if prefix.is_empty() { format!("s3://{}", self.bucket) } else { format!("s3://{}/{prefix}", self.bucket) }
    }

    /// Makes a directory of the scratch directory hold exactly these files.
    pub(crate) fn write(&self, name: &str, files: &Files) {
        write_files(&self.path(name), files);
    }

    /// The files in a directory of the scratch directory.
    pub(crate) fn read(&self, name: &str) -> Files {
        files_below(&self.path(name))
    }

    /// What the bucket holds below the prefix, fetched by a client that nobody here wrote.
    pub(crate) fn stored(&self, prefix: &str) -> Files {
        let fetched = tempfile::tempdir_in(self.scratch.path()).unwrap();
        self.rclone(["copy", &self.remote(prefix), fetched.path().to_str().unwrap()]);
        files_below(fetched.path())
    }

    /// Puts an object by other means than the program under test.
    #[track_caller]
    pub(crate) fn put(&self, key: &str, content: &[u8]) {
        self.put_saying(key, content, &[]);
    }

    /// Puts an object of which these options of `aws s3api put-object` say more.
    #[track_caller]
    pub(crate) fn put_saying(&self, key: &str, content: &[u8], options: &[&str]) {
        std::fs::write(self.path("body"), content).unwrap();
        let put = ["s3api", "put-object", "--bucket", &self.bucket, "--key", key, "--body", &self.arg("body")];
        self.aws(put.iter().chain(options));
    }

    /// Has the bucket keep versions (`Enabled`), or no more (`Suspended`).
    pub(crate) fn set_versioning(&self, status: &str) {
        let status = format!("Status={status}");
        self.aws(["s3api", "put-bucket-versioning", "--bucket", &self.bucket, "--versioning-configuration", &status]);
    }

    /// `brigade ARGS` to its end.
    pub(crate) fn brigade<I: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = I>) -> Ended {
        Ended::of(self.brigade_command(args))
    }

    /// `brigade ARGS`, not yet started.
    pub(crate) fn brigade_command<I: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = I>) -> Command {
        let mut command = self.command(Path::new(env!("CARGO_BIN_EXE_brigade")));
        command.args(args);
        command
    }

    /// `brigade ARGS` as a shell starts it with these redirections, not yet started.
    pub(crate) fn redirected<I: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = I>, redirections: &str) -> Command {
        let mut shell = self.command(Path::new("/bin/sh"));
        shell.args(["-c", &format!("exec \"$@\" {redirections}"), "sh", env!("CARGO_BIN_EXE_brigade")]).args(args);
        shell
    }

    /// `brigade sync SOURCE DEST --output json ARGS`, which must end with all in step; its summary.
    #[track_caller]
    pub(crate) fn sync<const N: usize>(&self, source: &str, dest: &str, args: [&str; N]) -> Summary {
        let ended = self.brigade(["sync", source, dest, "--output", "json"].into_iter().chain(args)).exits(0);
        let left_behind = files_below(&self.path("tmp"));
        assert!(left_behind.0.is_empty(), "temporary files were left behind: {:?}", left_behind.paths());
        ended.summary()
    }

    /// Starts the command, and kills it when it has first asked the embedded server for this.
    pub(crate) fn kill_at(&self, operation: &str, command: Command) {
        self.log().forget_requests();
        self.log().be_busy(operation);
        let run = Running::start(command);
        self.log().wait_until_received(operation, 1);
        drop(run);
        self.log().heal();
        self.log().forget_requests();
    }

    /// Starts the command, which sends an object of more parts with one request at a time, and kills it when the
    /// embedded server has two of them.
    pub(crate) fn kill_at_the_third_part(&self, mut command: Command) {
        command.args(["--jobs", "1"]);
        self.log().forget_requests();
        self.log().hold_the("UploadPart", &[3]);
        let run = Running::start(command);
        self.log().wait_until_received("UploadPart", 3);
        drop(run);
        self.log().heal();
        self.log().forget_requests();
        assert_eq!(self.uploads(), 1);
    }

    /// `aws ARGS`, which must succeed; its standard output.
    #[track_caller]
    pub(crate) fn aws<I: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = I>) -> String {
        let mut command = self.command(&tool("aws"));
        // It now and then misses the answer to an upload that it sent with `Expect: 100-continue`, and waits a minute
        // for it.
        command.args(args).args(["--cli-read-timeout", "10"]).env("BOTO_EXPERIMENTAL__NO_EMPTY_CONTINUE", "true");
        Ended::of(command).exits(0).stdout
    }

    /// `rclone ARGS`, which must succeed; what it said.
    #[track_caller]
    pub(crate) fn rclone<const N: usize>(&self, args: [&str; N]) -> String {
        let mut command = self.command(&tool("rclone"));
        command.args(args).env("RCLONE_CONFIG", "/dev/null").env("RCLONE_S3_PROVIDER", "Other");
        command.env("RCLONE_S3_ENV_AUTH", "true").env("RCLONE_S3_ENDPOINT", &self.server.endpoint);
        Ended::of(command).exits(0).stderr
    }

    /// What rclone calls the prefix.
    pub(crate) fn remote(&self, prefix: &str) -> String {
        format!(":s3:{}/{prefix}", self.bucket)
    }

    /// A program in an environment that has the server and the scratch directory, and nothing of this machine.
    pub(crate) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        self.server.configure(&mut command);
        command.env("PATH", "/usr/bin:/bin").env("HOME", self.scratch.path()).env("TMPDIR", self.path("tmp"));
        command.current_dir(self.scratch.path());
        command
    }
}
