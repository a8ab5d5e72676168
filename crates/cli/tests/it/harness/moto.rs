//! moto, one for all tests of this process: a server in Python that plays S3 in memory, and checks
//! no signatures.

use std::fs;
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::OnceLock;
use std::thread;
use std::time::Duration;

use super::supervised::{answers, free_ports, supervised};
use super::{Credentials, Server, tool};

/// How often its readiness is asked for, a quarter of a second apart.
const ATTEMPTS: u32 = 240;

/// The running server; the first call starts it.
pub(crate) fn server() -> Server {
    static RUNNING: OnceLock<(Server, Child)> = OnceLock::new();
    RUNNING.get_or_init(start).0.clone()
}

fn start() -> (Server, Child) {
    let data = tempfile::Builder::new().prefix("brigade-moto-").tempdir().unwrap().keep();
    let port = free_ports(1)[0];
    let mut command = supervised(&data, &tool("moto_server"));
    command.args(["-H", "127.0.0.1", "-p", &port.to_string()]).stdin(Stdio::piped());
    let child = command.spawn().unwrap();
    wait_until_ready(port, &data);
    let credentials = Credentials { access_key_id: "moto-test".into(), secret_access_key: "moto-test-secret".into() };
    (Server { endpoint: format!("http://127.0.0.1:{port}"), credentials }, child)
}

fn wait_until_ready(port: u16, data: &Path) {
    for _ in 0..ATTEMPTS {
        if answers(port, "/") {
            return;
        }
        thread::sleep(Duration::from_millis(250));
    }
    let log = fs::read_to_string(data.join("log")).unwrap_or_default();
    panic!("moto did not start; its log:\n{log}");
}
