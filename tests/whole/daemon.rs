//! sqswatch itself, the real program, started with a configuration and asked over HTTP.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Output, Stdio};

use reqwest::{Client, StatusCode};
use serde_json::Value;
use tempfile::TempDir;

use crate::eventually::eventually;
use crate::exposition::Exposition;
use crate::peer::http;
use crate::process::Process;

/// A folder with a configuration and the state: what outlives a daemon. It goes when this is dropped.
pub struct Home(TempDir);

impl Home {
    /// A new one; `{F}` in `config` stands for the folder.
    pub fn new(config: &str) -> Self {
        let home = Self(tempfile::tempdir().unwrap());
        home.write(config);
        home
    }

    /// Replaces the configuration.
    pub fn write(&self, config: &str) {
        std::fs::write(self.config(), config.replace(FOLDER, &self.0.path().display().to_string())).unwrap();
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        self.0.path()
    }

    /// The configuration file.
    pub fn config(&self) -> PathBuf {
        self.0.path().join("sqswatch.yaml")
    }
}

/// A running daemon.
pub struct Daemon {
    /// Where it listens, e.g. `127.0.0.1:40125`.
    pub address: String,
    /// Where its configuration and state are.
    pub home: Home,
    process: Process,
    client: Client,
}

/// Who the daemon is to the peer.
#[derive(Clone, Copy)]
pub struct Identity<'a> {
    pub key: &'a str,
    pub secret: &'a str,
}

/// Good enough for every peer that does not look.
pub const ANYBODY: Identity<'static> = Identity { key: "test", secret: "test" };

/// `{F}` in a configuration stands for the daemon's own folder.
const FOLDER: &str = "{F}";

impl Daemon {
    /// Starts `sqswatch run` with a home of its own and waits until it listens. The log must be JSON, and `web.listen`
    /// have port 0.
    pub async fn start(config: &str, identity: Identity<'_>) -> Self {
        Self::start_at(Home::new(config), identity).await
    }

    /// The same where a daemon may have lived before.
    pub async fn start_at(home: Home, identity: Identity<'_>) -> Self {
        Self::start_by(command(identity), home).await
    }

    /// The same under another program, which gets the command line behind its own arguments and must become it (`exec`).
    pub async fn start_under(wrapper: &[&str], home: Home, identity: Identity<'_>) -> Self {
        let [program, arguments @ ..] = wrapper else { return Self::start_at(home, identity).await };
        let mut command = dressed(Command::new(program), identity);
        command.args(arguments).arg(PROGRAM);
        Self::start_by(command, home).await
    }

    /// The same by a [`command`] with an environment of its own.
    pub async fn start_by(mut command: Command, home: Home) -> Self {
        command.args(["run", "--config"]).arg(home.config());
        let mut process = Process::start("sqswatch", &mut command, "cargo builds it with the tests");
        let address = eventually("sqswatch listens", async || {
            let address = process.output().iter().find_map(|line| listening(line));
            match address {
                Some(address) => Ok(address),
                None => process.check_alive().and(Err("it has not said so".to_owned())),
            }
        })
        .await;
        Self { address, home, process, client: http() }
    }

    /// GET `path`: status and body.
    pub async fn get(&self, path: &str) -> Result<(StatusCode, String), String> {
        let answer = self.client.get(format!("http://{}{path}", self.address)).send().await;
        let answer = answer.map_err(|error| error.to_string())?;
        Ok((answer.status(), answer.text().await.map_err(|error| error.to_string())?))
    }

    /// GET `path`, which must be JSON, whatever the status.
    pub async fn json(&self, path: &str) -> Result<Value, String> {
        let (_, body) = self.get(path).await?;
        serde_json::from_str(&body).map_err(|error| format!("{error}: {body}"))
    }

    /// POST to `path`, with `token` if there is one: status and body.
    pub async fn post(&self, path: &str, token: Option<&str>) -> Result<(StatusCode, String), String> {
        let request = self.client.post(format!("http://{}{path}", self.address));
        let request = match token {
            Some(token) => request.header("Authorization", format!("Bearer {token}")),
            None => request,
        };
        let answer = request.send().await.map_err(|error| error.to_string())?;
        Ok((answer.status(), answer.text().await.map_err(|error| error.to_string())?))
    }

    /// One scrape.
    pub async fn metrics(&self) -> Result<Exposition, String> {
        let (status, body) = self.get("/metrics").await?;
        if status.is_success() { Ok(Exposition(body)) } else { Err(format!("{status}: {body}")) }
    }

    /// Waits until `path` answers with `status`; returns the body.
    pub async fn until_status(&self, path: &str, status: StatusCode) -> String {
        eventually(&format!("{path} answers {status}"), async || match self.get(path).await? {
            (got, body) if got == status => Ok(body),
            (got, body) => Err(format!("{got}: {body}")),
        })
        .await
    }

    /// What it has logged.
    pub fn log(&self) -> Vec<String> {
        self.process.output()
    }

    /// The lines of the log whose fields have these values.
    pub fn logged(&self, fields: &[(&str, &str)]) -> Vec<Value> {
        let lines = self.log();
        let lines = lines.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        lines.filter(|line| fields.iter().all(|(key, value)| line[*key] == *value)).collect()
    }

    /// The number of its process.
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// Sends a signal by its name, e.g. `HUP`.
    pub fn signal(&self, name: &str) {
        self.process.signal(name);
    }

    /// Waits until it has ended.
    pub async fn ended(mut self) -> (ExitStatus, Home) {
        (self.process.ended().await, self.home)
    }

    /// Ends it with SIGTERM; it must drain and leave with 0.
    pub async fn stop(self) -> Home {
        self.signal("TERM");
        let log = self.log();
        let (status, home) = self.ended().await;
        assert!(status.success(), "{status}: {}", log.join("\n"));
        home
    }

    /// Ends it with SIGKILL, which it cannot see coming.
    pub async fn kill(self) -> Home {
        self.signal("KILL");
        self.ended().await.1
    }
}

/// Runs a command of sqswatch to its end, with `input` as its standard input.
pub fn run(arguments: &[&str], input: &Path) -> Output {
    let input = std::fs::File::open(input).unwrap();
    command(ANYBODY).args(arguments).stdin(Stdio::from(input)).output().unwrap()
}

/// The program with nothing of this machine's AWS settings.
pub fn command(identity: Identity<'_>) -> Command {
    dressed(Command::new(PROGRAM), identity)
}

const PROGRAM: &str = env!("CARGO_BIN_EXE_sqswatch");

fn dressed(mut command: Command, identity: Identity<'_>) -> Command {
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("AWS_")
            || text.starts_with("SQSWATCH_")
            || text.to_lowercase().ends_with("_proxy")
        {
            command.env_remove(&name);
        }
    }
    command
        .env("AWS_ACCESS_KEY_ID", identity.key)
        .env("AWS_SECRET_ACCESS_KEY", identity.secret)
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null");
    command
}

/// The address in the log line that says where the daemon listens.
fn listening(line: &str) -> Option<String> {
    let line: serde_json::Value = serde_json::from_str(line).ok()?;
    (line["message"] == "listening").then(|| line["address"].as_str().map(str::to_owned))?
}
