//! A process that ends with its test, and whose output is kept for whoever asks.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use crate::eventually::eventually;

/// A running child. It is killed by its own handle when this is dropped; its output is then shown if the test fails.
pub struct Process {
    name: String,
    child: Child,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Process {
    /// Starts `command` with both outputs kept.
    ///
    /// # Panics
    /// When it cannot be started, with `hint`.
    pub fn start(name: &str, command: &mut Command, hint: &str) -> Self {
        let command = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child =
            command.spawn().unwrap_or_else(|error| panic!("cannot start {name}: {error}\n  hint: {hint}"));
        let lines = Arc::default();
        keep(child.stdout.take().expect("piped"), &lines);
        keep(child.stderr.take().expect("piped"), &lines);
        Self { name: name.to_owned(), child, lines }
    }

    /// Everything it has said, line by line.
    pub fn output(&self) -> Vec<String> {
        self.lines.lock().expect("no reader panics").clone()
    }

    /// An error if it has ended, so that waiting for it can stop making sense at once.
    pub fn check_alive(&mut self) -> Result<(), String> {
        match self.child.try_wait() {
            Ok(None) => Ok(()),
            ended => panic!("{} ended: {ended:?}\n{}", self.name, self.output().join("\n")),
        }
    }

    /// Waits until it has ended.
    pub async fn ended(&mut self) -> ExitStatus {
        eventually(&format!("{} ends", self.name), async || {
            self.child
                .try_wait()
                .map_err(|error| error.to_string())?
                .ok_or_else(|| "it still runs".to_owned())
        })
        .await
    }

    /// Its number.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal by its name, e.g. `HUP`.
    pub fn signal(&self, name: &str) {
        let status = Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status();
        assert!(status.is_ok_and(|status| status.success()), "cannot signal {}", self.name);
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill(); // fails only if it has ended
        let _ = self.child.wait();
        if thread::panicking() {
            let output = self.output();
            let tail = output.len().saturating_sub(60);
            eprintln!("--- the last lines of {}:\n{}\n---", self.name, output[tail..].join("\n"));
        }
    }
}

/// Reads lines on a thread, so that a talkative child never blocks on a full pipe.
fn keep(output: impl Read + Send + 'static, lines: &Arc<Mutex<Vec<String>>>) {
    let lines = lines.clone();
    thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            lines.lock().expect("no reader panics").push(line);
        }
    });
}
