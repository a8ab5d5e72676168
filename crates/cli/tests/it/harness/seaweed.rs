//! SeaweedFS, one for all tests of this process, or one for a test that stops
//! it: a real server, which lists out of byte order and checks signatures.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

use super::supervised::{answers, command, free_ports, supervised};
use super::{Credentials, Server, tool};

/// How often its readiness is asked for, a quarter of a second apart.
const ATTEMPTS: u32 = 240;

/// The server's parts; each listens for HTTP and for gRPC.
const PARTS: [&str; 4] = ["master", "volume", "filer", "s3"];

/// The running server; the first call starts it.
pub(crate) fn server() -> Server {
    static RUNNING: OnceLock<(Server, Child)> = OnceLock::new();
    RUNNING.get_or_init(start).0.clone()
}

fn start() -> (Server, Child) {
    let data = tempfile::Builder::new().prefix("brigade-seaweed-").tempdir().unwrap().keep();
    let credentials = prepare(&data);
    let ports = free_ports(2 * PARTS.len());
    let mut supervised = supervised(&data, &tool("weed"));
    // Without a key to encrypt with, it refuses whatever asks for SSE-S3.
    supervised.env("WEED_S3_SSE_KEY", "seaweed-test-passphrase");
    let child = serve(supervised, &data, &ports).stdin(Stdio::piped()).spawn().unwrap();
    wait_until_ready(&ports, &data);
    (Server { endpoint: endpoint(&ports), credentials }, child)
}

/// One that a test has for itself, to be stopped and started. It has no key to encrypt with.
pub(crate) struct OwnSeaweed {
    data: TempDir,
    ports: Vec<u16>,
    credentials: Credentials,
    child: Child,
}

impl OwnSeaweed {
    /// Starts it, with nothing in it.
    pub(crate) fn start() -> Self {
        let data = tempfile::Builder::new().prefix("brigade-seaweed-").tempdir().unwrap();
        let credentials = prepare(data.path());
        let ports = free_ports(2 * PARTS.len());
        let child = spawn(data.path(), &ports);
        Self { data, ports, credentials, child }
    }

    /// How to reach it.
    pub(crate) fn server(&self) -> Server {
        Server { endpoint: endpoint(&self.ports), credentials: self.credentials.clone() }
    }

    /// Makes it stand still, and do nothing with what comes.
    pub(crate) fn pause(&self) {
        self.signal("-STOP");
    }

    /// Lets it go on.
    pub(crate) fn resume(&self) {
        self.signal("-CONT");
    }

    /// Kills it, as the loss of its machine would.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts it again on the same data, at the same place.
    pub(crate) fn start_again(&mut self) {
        self.child = spawn(self.data.path(), &self.ports);
    }

    fn signal(&self, signal: &str) {
        assert!(Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap().success());
    }
}

impl Drop for OwnSeaweed {
    fn drop(&mut self) {
        // It may have been killed already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// It ends with the thread that starts it, however that ends.
fn spawn(data: &Path, ports: &[u16]) -> Child {
    let mut weed = command(data, "setpriv");
    weed.args(["--pdeathsig", "KILL"]).arg(tool("weed")).stdin(Stdio::null());
    let log = File::options().create(true).append(true).open(data.join("log")).unwrap();
    weed.stdout(log.try_clone().unwrap()).stderr(log);
    let child = serve(weed, data, ports).spawn().unwrap();
    wait_until_ready(ports, data);
    child
}

fn endpoint(ports: &[u16]) -> String {
    format!("http://127.0.0.1:{}", ports[6])
}

/// Writes down who may use it.
fn prepare(data: &Path) -> Credentials {
    let credentials =
        Credentials { access_key_id: "seaweed-test".into(), secret_access_key: "seaweed-test-secret".into() };
    let identities = serde_json::json!({ "identities": [{
        "name": "test",
        "credentials": [{ "accessKey": credentials.access_key_id, "secretKey": credentials.secret_access_key }],
        "actions": ["Admin", "Read", "Write", "List", "Tagging"],
    }]});
    fs::write(data.join("identities.json"), identities.to_string()).unwrap();
    credentials
}

/// The command with what the server is told.
fn serve(mut command: Command, data: &Path, ports: &[u16]) -> Command {
    command.args(["-logtostderr", "server", "-s3"]);
    for (part, ports) in PARTS.iter().zip(ports.chunks(2)) {
        command.arg(format!("-{part}.port={}", ports[0])).arg(format!("-{part}.port.grpc={}", ports[1]));
    }
    command.arg(format!("-dir={}", data.display()));
    command.arg(format!("-s3.config={}", data.join("identities.json").display()));
    command.args(["-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-s3.port.iceberg=0", "-s3.port.lance=0"]);
    command.args(["-s3.iam=false", "-s3.autoCreateBucket=false"]);
    // Each bucket takes seven volumes, which are sparse files.
    command.args(["-master.volumeSizeLimitMB=64", "-volume.max=10000", "-volume.minFreeSpace=1MiB"]);
    command
}

/// It is ready when the S3 gateway is up, and the master has a volume to write to.
fn wait_until_ready(ports: &[u16], data: &Path) {
    for _ in 0..ATTEMPTS {
        if answers(ports[6], "/healthz") && answers(ports[0], "/dir/assign") {
            return;
        }
        thread::sleep(Duration::from_millis(250));
    }
    let log = fs::read_to_string(data.join("log")).unwrap_or_default();
    panic!("SeaweedFS did not start; its log:\n{log}");
}
