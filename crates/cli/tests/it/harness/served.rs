//! `brigade serve` as a process of its own.

use std::path::Path;
use std::process::Command;

use super::{Credentials, Running, Server};

/// Starts `brigade serve` on a free port, with these buckets, and reads from
/// what it prints how to reach it.
pub(crate) fn serve(directory: &Path, buckets: &[&str]) -> (Running, Server) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_brigade"));
    command.env_clear().arg("serve").arg(directory).args(["--listen", "127.0.0.1:0"]);
    command.args(buckets.iter().map(|bucket| format!("--bucket={bucket}")));
    let mut running = Running::start(command);
    let [mut endpoint, mut access_key_id, mut secret_access_key] = [const { None }; 3];
    while endpoint.is_none() || access_key_id.is_none() || secret_access_key.is_none() {
        let line = running.line();
        let Some((name, value)) = line.trim().strip_prefix("export ").and_then(|export| export.split_once('=')) else {
            continue;
        };
        match name {
            "AWS_ENDPOINT_URL" => endpoint = Some(value.to_owned()),
            "AWS_ACCESS_KEY_ID" => access_key_id = Some(value.to_owned()),
            "AWS_SECRET_ACCESS_KEY" => secret_access_key = Some(value.to_owned()),
            _ => {}
        }
    }
    let credentials =
        Credentials { access_key_id: access_key_id.unwrap(), secret_access_key: secret_access_key.unwrap() };
    (running, Server { endpoint: endpoint.unwrap(), credentials })
}
