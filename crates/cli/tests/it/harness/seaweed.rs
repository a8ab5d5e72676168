//! SeaweedFS, one for all tests of this process: a real server, which lists
//! out of byte order and checks signatures.

use std::fs;
use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::thread;
use std::time::Duration;

use super::{Credentials, Server, tool};

/// How often its readiness is asked for, a quarter of a second apart.
const ATTEMPTS: u32 = 240;

/// Runs the server until this process ends, however it ends: then the pipe on
/// standard input closes, the server is killed and its data removed. A signal to
/// the whole group, as Ctrl-C sends, must not end it before that.
const SUPERVISOR: &str = r#"
trap '' HUP INT TERM
"$@" >"$DATA/log" 2>&1 </dev/null &
cat >/dev/null
kill -KILL $!
wait
rm -rf "$DATA"
"#;

/// The server's parts; each listens for HTTP and for gRPC.
const PARTS: [&str; 4] = ["master", "volume", "filer", "s3"];

/// The running server; the first call starts it.
pub(crate) fn server() -> Server {
    static RUNNING: OnceLock<(Server, Child)> = OnceLock::new();
    RUNNING.get_or_init(start).0.clone()
}

fn start() -> (Server, Child) {
    let data = tempfile::Builder::new().prefix("brigade-seaweed-").tempdir().unwrap().keep();
    let credentials =
        Credentials { access_key_id: "seaweed-test".into(), secret_access_key: "seaweed-test-secret".into() };
    let identities = serde_json::json!({ "identities": [{
        "name": "test",
        "credentials": [{ "accessKey": credentials.access_key_id, "secretKey": credentials.secret_access_key }],
        "actions": ["Admin", "Read", "Write", "List", "Tagging"],
    }]});
    fs::write(data.join("identities.json"), identities.to_string()).unwrap();

    let ports = free_ports();
    let child = supervise(&data, &ports);
    let server = Server { endpoint: format!("http://127.0.0.1:{}", ports[6]), credentials };
    wait_until_ready(&ports, &data);
    (server, child)
}

fn supervise(data: &Path, ports: &[u16]) -> Child {
    let mut command = Command::new("sh");
    command.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", data).env("DATA", data);
    command.args(["-c", SUPERVISOR, "seaweed"]).arg(tool("weed")).args(["-logtostderr", "server", "-s3"]);
    for (part, ports) in PARTS.iter().zip(ports.chunks(2)) {
        command.arg(format!("-{part}.port={}", ports[0])).arg(format!("-{part}.port.grpc={}", ports[1]));
    }
    command.arg(format!("-dir={}", data.display()));
    command.arg(format!("-s3.config={}", data.join("identities.json").display()));
    command.args(["-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-s3.port.iceberg=0", "-s3.port.lance=0"]);
    command.args(["-s3.iam=false", "-s3.autoCreateBucket=false"]);
    // Each bucket takes seven volumes, which are sparse files.
    command.args(["-master.volumeSizeLimitMB=64", "-volume.max=10000", "-volume.minFreeSpace=1MiB"]);
    command.stdin(Stdio::piped()).spawn().unwrap()
}

/// Eight ports below those that the system gives to outgoing connections, so
/// that none of them is taken between this look and the server's start.
fn free_ports() -> Vec<u16> {
    let first = 20_000 + u16::try_from(std::process::id() % 1_200).unwrap() * 10;
    let free: Vec<TcpListener> =
        (first..).filter_map(|port| TcpListener::bind(("127.0.0.1", port)).ok()).take(2 * PARTS.len()).collect();
    free.iter().map(|listener| listener.local_addr().unwrap().port()).collect()
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

/// Whether a GET of the path is answered with 200.
fn answers(port: u16, path: &str) -> bool {
    let Ok(mut connection) = TcpStream::connect(("127.0.0.1", port)) else { return false };
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    let answer = connection.write_all(request.as_bytes()).and_then(|()| std::io::read_to_string(connection));
    answer.is_ok_and(|answer| answer.starts_with("HTTP/1.1 200"))
}
