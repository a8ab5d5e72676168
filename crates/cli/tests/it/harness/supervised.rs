//! Servers that are processes of their own, and end with the one that started them.

use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;

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

/// The program as the supervisor starts it, whose standard input is a pipe. Its log is in the
/// directory, which is removed when it ends.
pub(super) fn supervised(data: &Path, program: &Path) -> Command {
    let mut supervisor = command(data, "sh");
    supervisor.env("DATA", data).args(["-c", SUPERVISOR, "supervisor"]).arg(program);
    supervisor
}

/// A program in an environment that has the directory, and nothing of this machine.
pub(super) fn command(data: &Path, program: &str) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", data);
    command
}

/// Ports below those that the system gives to outgoing connections, so
/// that none of them is taken between this look and the server's start. Nor does
/// this process give one away twice.
pub(super) fn free_ports(count: usize) -> Vec<u16> {
    static GIVEN_AWAY: Mutex<u16> = Mutex::new(0);
    let mut given_away = GIVEN_AWAY.lock().unwrap();
    let first = 20_000 + u16::try_from(std::process::id() % 1_200).unwrap() * 10;
    let ports = (*given_away + 1).max(first)..;
    let free: Vec<TcpListener> =
        ports.filter_map(|port| TcpListener::bind(("127.0.0.1", port)).ok()).take(count).collect();
    let ports: Vec<u16> = free.iter().map(|listener| listener.local_addr().unwrap().port()).collect();
    *given_away = ports[ports.len() - 1];
    ports
}

/// Whether a GET of the path is answered with 200.
pub(super) fn answers(port: u16, path: &str) -> bool {
    let Ok(mut connection) = TcpStream::connect(("127.0.0.1", port)) else { return false };
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    let answer = connection.write_all(request.as_bytes()).and_then(|()| std::io::read_to_string(connection));
    answer.is_ok_and(|answer| answer.starts_with("HTTP/1.1 200"))
}
