//! Servers nobody here wrote: LocalStack, moto, MiniStack, Prometheus, Alertmanager. `scripts/peers.sh` installs them.

use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::eventually::eventually;
use crate::process::Process;

/// A peer that answers.
pub struct Peer {
    /// Its base address, e.g. `http://127.0.0.1:40123`.
    pub url: String,
    /// The process; ends with this.
    _process: Process,
}

/// LocalStack with SQS, SNS, CloudWatch, STS and IAM.
pub async fn localstack() -> Peer {
    let port = free_port();
    let listen = format!("127.0.0.1:{port}");
    let mut command = peer_command("localstack", "python");
    command
        .args(["-m", "localstack.runtime.main"])
        .env("GATEWAY_LISTEN", &listen)
        .env("LOCALSTACK_HOST", &listen)
        .env("SERVICES", "sqs,sns,cloudwatch,sts,iam")
        .envs([("DISABLE_EVENTS", "1"), ("SKIP_SSL_CERT_DOWNLOAD", "1"), ("DNS_ADDRESS", "0")])
        .envs([("SQS_ENDPOINT_STRATEGY", "path"), ("SQS_DELAY_PURGE_RETRY", "1")])
        .env("SQS_CLOUDWATCH_METRICS_REPORT_INTERVAL", "1");
    start("localstack", command, port, "/_localstack/health").await
}

/// moto in server mode. Nobody is refused until `/moto-api/reset-auth` says so.
pub async fn moto() -> Peer {
    let port = free_port();
    let mut command = peer_command("moto", "moto_server");
    command.args(["-H", "127.0.0.1", "-p", &port.to_string()]).env("INITIAL_NO_AUTH_ACTION_COUNT", "9999");
    start("moto", command, port, "/moto-api/data.json").await
}

/// MiniStack.
pub async fn ministack() -> Peer {
    let port = free_port();
    let mut command = peer_command("ministack", "ministack");
    command
        .env("BIND_HOST", "127.0.0.1")
        .env("GATEWAY_PORT", port.to_string())
        .env("MINISTACK_HOST", "127.0.0.1");
    start("ministack", command, port, "/_ministack/health").await
}

/// Prometheus, scraping `target` every second, with its data in `folder`.
pub async fn prometheus(target: &str, folder: &Path) -> Peer {
    prometheus_with(target, folder, "").await
}

/// The same with `more` keys in its configuration; rules are evaluated every second.
pub async fn prometheus_with(target: &str, folder: &Path, more: &str) -> Peer {
    let config = folder.join("prometheus.yml");
    let text = format!(
        "global: {{ scrape_interval: 1s, evaluation_interval: 1s }}\n\
         scrape_configs: [{{ job_name: sqswatch, static_configs: [{{ targets: ['{target}'] }}] }}]\n{more}"
    );
    std::fs::write(&config, text).expect("the folder is ours");
    let port = free_port();
    let mut command = Command::new("prometheus");
    command
        .arg(format!("--config.file={}", config.display()))
        .arg(format!("--storage.tsdb.path={}", folder.join("data").display()))
        .arg(format!("--web.listen-address=127.0.0.1:{port}"));
    start("prometheus", command, port, "/-/ready").await
}

/// An Alertmanager on this port that groups by the alarm's name and tells `hook` at once, with its data in `folder`.
pub async fn alertmanager(hook: &str, folder: &Path, port: u16) -> Peer {
    let config = folder.join("alertmanager.yml");
    let text = format!(
        "route: {{ receiver: hook, group_by: [alertname], group_wait: 3s, group_interval: 1s, repeat_interval: 1h }}\n\
         receivers: [{{ name: hook, webhook_configs: [{{ url: '{hook}', send_resolved: true }}] }}]\n"
    );
    std::fs::write(&config, text).expect("the folder is ours");
    let mut command = Command::new("prometheus-alertmanager");
    command
        .arg(format!("--config.file={}", config.display()))
        .arg(format!("--storage.path={}", folder.join("data").display()))
        .arg(format!("--web.listen-address=127.0.0.1:{port}"))
        .arg("--cluster.listen-address=");
    start("alertmanager", command, port, "/-/ready").await
}

/// The library that lets a program see another wall clock.
///
/// # Panics
/// When it is not installed.
pub fn libfaketime() -> PathBuf {
    let folders = std::fs::read_dir("/usr/lib").expect("every Linux has it").flatten();
    let library =
        folders.map(|folder| folder.path().join("faketime/libfaketime.so.1")).find(|path| path.exists());
    library.expect("libfaketime is missing\n  hint: run `scripts/peers.sh install faketime`")
}

/// Where the peers are installed.
pub fn peers() -> PathBuf {
    std::env::var_os("SQSWATCH_PEERS")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join(".peers"), PathBuf::from)
}

/// A client for servers on loopback: no proxies, no certificates.
pub fn http() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default(); // another test may have done it
    reqwest::Client::builder().no_proxy().tls_certs_only([]).build().expect("nothing in it can fail")
}

/// `text` as a value in a form.
pub fn form_escaped(text: &str) -> String {
    let escaped = |byte: u8| match char::from(byte) {
        plain if plain.is_ascii_alphanumeric() => plain.to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(escaped).collect()
}

fn peer_command(peer: &str, program: &str) -> Command {
    let mut command = Command::new(peers().join(peer).join("bin").join(program));
    command.env("PYTHONUNBUFFERED", "1").env_remove("AWS_CA_BUNDLE");
    command
}

async fn start(name: &str, mut command: Command, port: u16, health: &str) -> Peer {
    let hint = format!("`scripts/peers.sh install {name}` installs it");
    let mut process = Process::start(name, &mut command, &hint);
    let url = format!("http://127.0.0.1:{port}");
    let (client, health) = (http(), format!("{url}{health}"));
    eventually(&format!("{name} answers"), async || {
        process.check_alive()?;
        let answer = client.get(&health).send().await.map_err(|error| error.to_string())?;
        if answer.status().is_success() { Ok(()) } else { Err(answer.status().to_string()) }
    })
    .await;
    Peer { url, _process: process }
}

/// A port that was free a moment ago; the peers cannot be handed a socket.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has a free port");
    listener.local_addr().expect("it is bound").port()
}
