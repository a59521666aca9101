//! sqswatch itself, the real program, started with a configuration and asked over HTTP.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use reqwest::{Client, StatusCode};
use tempfile::TempDir;

use crate::eventually::eventually;
use crate::exposition::Exposition;
use crate::peer::http;
use crate::process::Process;

/// A running daemon. Its state lives in a folder of its own that goes with it.
pub struct Daemon {
    /// Where it listens, e.g. `127.0.0.1:40125`.
    pub address: String,
    process: Process,
    client: Client,
    _folder: TempDir,
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
    /// Starts `sqswatch run` and waits until it listens. The log must be JSON, and `web.listen` have port 0.
    pub async fn start(config: &str, identity: Identity<'_>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("sqswatch.yaml");
        std::fs::write(&file, config.replace(FOLDER, &folder.path().display().to_string())).unwrap();
        let mut command = command(identity);
        command.args(["run", "--config"]).arg(&file);
        let mut process = Process::start("sqswatch", &mut command, "cargo builds it with the tests");
        let address = eventually("sqswatch listens", async || {
            let address = process.output().iter().find_map(|line| listening(line));
            match address {
                Some(address) => Ok(address),
                None => process.check_alive().and(Err("it has not said so".to_owned())),
            }
        })
        .await;
        Self { address, process, client: http(), _folder: folder }
    }

    /// GET `path`: status and body.
    pub async fn get(&self, path: &str) -> Result<(StatusCode, String), String> {
        let answer = self.client.get(format!("http://{}{path}", self.address)).send().await;
        let answer = answer.map_err(|error| error.to_string())?;
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

    /// Ends it with SIGTERM; it must drain and leave with 0.
    pub async fn stop(mut self) {
        let status = self.process.terminate().await;
        assert!(status.success(), "{status}: {}", self.log().join("\n"));
    }
}

/// Runs a command of sqswatch to its end, with `input` as its standard input.
pub fn run(arguments: &[&str], input: &Path) -> Output {
    let input = std::fs::File::open(input).unwrap();
    command(ANYBODY).args(arguments).stdin(Stdio::from(input)).output().unwrap()
}

/// The program with nothing of this machine's AWS settings.
fn command(identity: Identity<'_>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sqswatch"));
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
