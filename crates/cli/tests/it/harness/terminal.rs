//! A terminal of its own for the program under test, and what stands on its screen.

use std::fs::File;
use std::io::Read as _;
use std::process::{Child, Command};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use rustix::fs::{Mode, OFlags, open};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use super::secrets::Secrets;

/// A program on a terminal of its own.
pub(crate) struct Terminal {
    /// What the user holds of it.
    user: File,
    child: Child,
    written: Receiver<Vec<u8>>,
    secrets: Secrets,
    /// All that was written so far.
    pub(crate) text: String,
}

impl Terminal {
    /// Starts the command on a terminal of so many columns.
    pub(crate) fn start(command: &Command, columns: u16) -> Self {
        let user = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&user).unwrap();
        unlockpt(&user).unwrap();
        let name = ptsname(&user, Vec::new()).unwrap();
        let program = File::from(open(&name, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).unwrap());
        let user = File::from(user);
        set_columns(&user, columns);
        // The terminal must control the program, or it hears of no resizing and no Ctrl-C.
        let mut controlled = Command::new("setsid");
        controlled.arg("--ctty").arg(command.get_program()).args(command.get_args());
        controlled.env_clear().env("TERM", "xterm");
        controlled.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        controlled.stdin(program.try_clone().unwrap()).stdout(program.try_clone().unwrap()).stderr(program);
        let child = controlled.spawn().unwrap();
        let (sender, written) = channel();
        let mut reader = user.try_clone().unwrap();
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            // It fails when the program has ended.
            while let Ok(length @ 1..) = reader.read(&mut buffer) {
                if sender.send(buffer[..length].to_vec()).is_err() {
                    break;
                }
            }
        });
        Self { user, child, written, secrets: Secrets::of(command), text: String::new() }
    }

    /// Waits until the program has written this after what it wrote before
    /// `start`; where that ends.
    #[track_caller]
    pub(crate) fn wait_for(&mut self, what: &str, start: usize) -> usize {
        loop {
            if let Some(found) = self.text[start..].find(what) {
                return start + found + what.len();
            }
            assert!(self.read(), "{what:?} was not written: {:?}", self.text);
        }
    }

    /// Makes it so wide, as a person pulls at its edge.
    pub(crate) fn resize(&self, columns: u16) {
        set_columns(&self.user, columns);
    }

    /// Types this.
    pub(crate) fn type_in(&self, keys: &str) {
        std::io::Write::write_all(&mut &self.user, keys.as_bytes()).unwrap();
    }

    /// Waits for the program's end; the exit code and all that was written.
    pub(crate) fn end(mut self) -> (Option<i32>, String) {
        while self.read() {}
        self.secrets.assert_absent_from(&self.text);
        (self.child.wait().unwrap().code(), std::mem::take(&mut self.text))
    }

    /// Reads what comes next; `false` at the end, or if nothing comes for a minute.
    fn read(&mut self) -> bool {
        // Without this a program that says nothing would keep a test for ever.
        match self.written.recv_timeout(Duration::from_mins(1)) {
            // All that the program draws with is ASCII.
            Ok(bytes) => self.text.push_str(&String::from_utf8_lossy(&bytes)),
            Err(_) => return false,
        }
        true
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It may have ended already, which is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn set_columns(terminal: &File, columns: u16) {
    tcsetwinsize(terminal, Winsize { ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
}

/// The lines that stand on a screen without end after all this was written:
/// knows `\r`, `\n`, colours, and what erases all behind the cursor, which is
/// all that the program may use.
pub(crate) fn screen(written: &str) -> Vec<String> {
    let (mut lines, mut column) = (vec![String::new()], 0);
    let mut rest = written;
    while let Some(character) = rest.chars().next() {
        rest = &rest[character.len_utf8()..];
        let line = lines.last_mut().unwrap();
        match character {
            '\r' => column = 0,
            '\n' => {
                lines.push(String::new());
                column = 0;
            }
            '\u{1b}' => {
                let (command, after) = rest.split_at(rest.find(|c: char| c.is_ascii_alphabetic()).unwrap() + 1);
                rest = after;
                match command {
                    "[J" => line.truncate(column),
                    colour if colour.ends_with('m') => {}
                    other => panic!("unknown command {other:?} in {written:?}"),
                }
            }
            other => {
                let end = (column + other.len_utf8()).min(line.len());
                line.replace_range(column..end, other.encode_utf8(&mut [0; 4]));
                column += other.len_utf8();
            }
        }
    }
    lines
}
