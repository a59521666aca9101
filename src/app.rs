//! Wires the workers, supervises them, reloads, drains. The only file that knows everyone.
//!
//! What lasts as long as the process (board, store, HTTP server, own metrics) is `Shared`; what lasts as long as one
//! configuration (clients and workers) is a `Generation`. A reload replaces the generation and nothing else.

mod counters;
mod generation;
mod heartbeat;
mod histories;
mod keeper;
mod receivers;
mod survey;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use crate::aws::clients::{AwsError, Clients, Identity};
use crate::board::Board;
use crate::clock;
use crate::config::{self, Config};
use crate::domain::silence::Silences;
use crate::notify;
use crate::store::{Store, StoreError};
use crate::telemetry::Telemetry;
use crate::web;
use generation::Generation;
pub use receivers::receivers;
use receivers::{Maker, Receivers};
pub use survey::{Survey, survey};

/// How long attempts in hand may take to finish at the end. Kubernetes kills after 30 s.
const GRACE: Duration = Duration::from_secs(25);
/// Of that, how long open HTTP answers may take.
const HTTP_GRACE: Duration = Duration::from_secs(3);

/// Why the daemon could not start or go on.
#[derive(Debug, Error)]
pub enum AppError {
    /// The address is taken, not ours to take, or not on this machine.
    #[error(
        "cannot listen on `{address}`\n  hint: is another sqswatch running? set `web.listen` to another address"
    )]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// The state file.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The clients could not be made.
    #[error(transparent)]
    Aws(#[from] AwsError),
    /// The client for webhooks could not be made.
    #[error("cannot set up the HTTP client")]
    Http(#[from] reqwest::Error),
    /// Two metrics of one name.
    #[error("cannot set up the daemon's own metrics")]
    Metrics(#[from] prometheus::Error),
    /// A worker ended although nobody told it to.
    #[error("the worker `{0}` ended unexpectedly; the daemon exits so that its supervisor starts it anew")]
    Worker(String),
}

/// What a daemon is started with.
#[derive(Debug)]
pub struct Start {
    /// The checked configuration.
    pub config: Config,
    /// Where a reload reads it anew; `None` refuses reloads (demo, standard input).
    pub source: Option<PathBuf>,
    /// Cancelled to end it.
    pub stop: CancellationToken,
    /// As whom AWS is asked.
    pub identity: Identity,
    /// One item for each wish to reload.
    pub hangups: mpsc::Receiver<()>,
    /// Told the bound address once HTTP listens.
    pub listening: Option<oneshot::Sender<SocketAddr>>,
}

/// What outlives a reload.
#[derive(Clone)]
struct Shared {
    board: Arc<Board>,
    store: Store,
    telemetry: Telemetry,
    config: Arc<ArcSwap<Config>>,
    owed: Arc<Notify>,
    draining: Arc<AtomicBool>,
    identity: Identity,
    counts: notify::Counts,
    http: reqwest::Client,
}

/// Runs the daemon until `stop`, then drains it.
///
/// # Errors
/// When it cannot start, or when a worker dies.
pub async fn run(start: Start) -> Result<(), AppError> {
    let shared = Shared::open(start.config, start.identity).await?;
    let (listener, address) = listen(shared.config.load().web.listen).await?;
    tracing::info!(%address, version = env!("CARGO_PKG_VERSION"), "listening");
    if let Some(listening) = start.listening {
        let _ = listening.send(address); // whoever asked may have gone
    }
    let (wishes, reloads) = mpsc::channel(1);
    let http = CancellationToken::new();
    let server = tokio::spawn(web::serve(listener, shared.web(wishes), http.clone()));
    let outcome = supervise(&shared, start.source, start.stop, start.hangups, reloads).await;
    http.cancel();
    let _ = tokio::time::timeout(HTTP_GRACE, server).await;
    tracing::info!("stopped");
    outcome
}

/// Binds `address`; the port that is really bound is told with it.
async fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr), AppError> {
    let bound = async {
        let listener = TcpListener::bind(address).await?;
        let bound = listener.local_addr()?;
        Ok((listener, bound))
    };
    bound.await.map_err(|source| AppError::Listen { address, source })
}

/// Runs one generation after the other until `stop` or until a worker dies.
async fn supervise(
    shared: &Shared,
    source: Option<PathBuf>,
    stop: CancellationToken,
    mut hangups: mpsc::Receiver<()>,
    mut reloads: mpsc::Receiver<web::Reload>,
) -> Result<(), AppError> {
    let clients = shared.connect(&shared.config.load()).await?;
    let receivers = shared.receivers(&shared.config.load(), &clients).await?;
    let mut generation = Generation::start(shared, clients, receivers);
    shared.telemetry.reload_ok.set(1);
    shared.telemetry.reload_at.set(clock::now().as_secs_f64());
    let outcome = loop {
        let answer = tokio::select! {
            biased;
            () = stop.cancelled() => break Ok(()),
            died = generation.died() => break Err(AppError::Worker(died)),
            Some(()) = hangups.recv() => None,
            Some(reload) = reloads.recv() => Some(reload),
        };
        // The end does not wait for a reload: one that is cut off leaves the workers to the stop below.
        let outcome = tokio::select! {
            () = stop.cancelled() => break Ok(()),
            outcome = reload(shared, source.as_deref(), &mut generation) => outcome,
        };
        note_reload(shared, &outcome);
        if let Some(answer) = answer {
            let _ = answer.send(outcome); // the client may have gone
        }
    };
    shared.draining.store(true, Ordering::Release);
    tracing::info!(grace_seconds = GRACE.as_secs(), "stopping: attempts in hand are finished and recorded");
    generation.stop(GRACE - HTTP_GRACE).await;
    counters::save(shared).await;
    keeper::finish(shared).await;
    histories::finish(shared).await;
    outcome
}

/// Checks the file, makes the new clients, and only then replaces the workers. When it is dropped on the way there, what is
/// left of the workers can still be stopped in the ordinary way.
///
/// # Errors
/// The faults, as text; then the old configuration goes on.
async fn reload(shared: &Shared, source: Option<&Path>, generation: &mut Generation) -> Result<(), String> {
    let path =
        source.ok_or("this daemon was not started from a file, so there is nothing to read again\n")?;
    let mut next = config::load(path).map_err(|faults| faults.to_string())?;
    let clients = shared.connect(&next).await.map_err(|error| format!("{error}\n"))?;
    let receivers = shared.receivers(&next, &clients).await.map_err(|error| format!("{error}\n"))?;
    keep_what_needs_a_restart(&shared.config.load(), &mut next);
    generation.stop(GRACE).await;
    shared.config.store(Arc::new(next));
    *generation = Generation::start(shared, clients, receivers);
    Ok(())
}

/// The address, the store and the log are the process's: a change of these is said and waits for the next start.
fn keep_what_needs_a_restart(before: &Config, next: &mut Config) {
    let changes = [
        ("web.listen", before.web.listen != next.web.listen),
        ("store.path", before.store != next.store),
        ("log", before.log != next.log),
    ];
    for (key, _) in changes.into_iter().filter(|(_, changed)| *changed) {
        tracing::warn!(key, "this change takes effect at the next start");
    }
    next.web.listen = before.web.listen;
    next.store = before.store.clone();
    next.log = before.log.clone();
}

fn note_reload(shared: &Shared, outcome: &Result<(), String>) {
    match outcome {
        Ok(()) => {
            shared.telemetry.reload_ok.set(1);
            shared.telemetry.reload_at.set(clock::now().as_secs_f64());
            tracing::info!("configuration reloaded");
        }
        Err(faults) => {
            shared.telemetry.reload_ok.set(0);
            shared.telemetry.reload_refused.inc();
            tracing::error!(faults, "configuration refused, the old one goes on");
        }
    }
}

impl Shared {
    /// Opens the store and takes back what it remembers.
    async fn open(config: Config, identity: Identity) -> Result<Self, AppError> {
        let path = config.store.path.clone();
        let opened = tokio::task::spawn_blocking(move || {
            let store = path.as_ref().map_or_else(|| Ok(Store::memory()), |path| Store::open(path))?;
            let remembered = (store.alarms()?, store.counters()?, store.silences()?);
            let board = Arc::new(Board::default());
            if let Some(path) = path {
                histories::load(&board, &path);
            }
            Ok::<_, StoreError>((store, board, remembered))
        });
        let opened = opened.await.map_err(|_| StoreError::Interrupted)??;
        let (store, board, (alarms, counters, silences)) = opened;
        board.with_alarms_mut(|remembered| *remembered = alarms);
        board.remember_counters(counters);
        board.set_silences(Silences { silences, ..Silences::default() });
        let telemetry = Telemetry::new();
        let counts = notify::Counts::register(&telemetry.registry)?;
        Ok(Self {
            board,
            store,
            counts,
            http: notify::http_client()?,
            identity,
            telemetry,
            config: Arc::new(ArcSwap::from_pointee(config)),
            owed: Arc::new(Notify::new()),
            draining: Arc::new(AtomicBool::new(false)),
        })
    }

    async fn connect(&self, config: &Config) -> Result<Clients, AwsError> {
        Clients::connect_as(self.identity.clone(), &config.aws, config.poll.timeout, &self.telemetry).await
    }

    async fn receivers(&self, config: &Config, clients: &Clients) -> Result<Receivers, AppError> {
        let maker = Maker { clients, http: &self.http, telemetry: &self.telemetry, counts: &self.counts };
        Ok(maker.all(config).await?)
    }

    fn web(&self, reload: mpsc::Sender<web::Reload>) -> web::Web {
        web::Web {
            board: self.board.clone(),
            telemetry: self.telemetry.clone(),
            config: self.config.clone(),
            store: self.store.clone(),
            draining: self.draining.clone(),
            prometheus: web::Prometheus::new(self.http.clone()),
            rows: web::Rows::default(),
            owed: self.owed.clone(),
            reload,
        }
    }
}
