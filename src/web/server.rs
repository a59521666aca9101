//! The listener: bounded in connections, patience and header size, and gone only after the answers in hand are given.

mod patience;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::FromRef;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use axum::routing::{delete, get, post};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::live::{self, Hub};
use super::metrics::{self, Scrapes};
use super::{Web, answer, api, health, pages};
use patience::Patient;

/// How many connections are served at once; more wait to be accepted.
const CONNECTIONS: usize = live::SEATS + 256;
/// When fewer are free, clients are not kept between requests.
const SCARCE: usize = 128;
/// How long a client may take to send a request, and how long it may be silent between two.
const HEADER_PATIENCE: Duration = Duration::from_secs(20);
/// How long a client may take nothing of an answer.
const WRITE_PATIENCE: Duration = Duration::from_secs(30);
/// The largest request line with headers; a larger one is answered 431.
const HEADER_BYTES: usize = 16 * 1024;
/// How long answers in hand may take once the server is told to end.
const GRACE: Duration = Duration::from_secs(5);

/// What handlers are given.
#[derive(Clone)]
struct Shared {
    web: Web,
    scrapes: Scrapes,
    hub: Hub,
}

impl FromRef<Shared> for Web {
    fn from_ref(shared: &Shared) -> Self {
        shared.web.clone()
    }
}

impl FromRef<Shared> for Hub {
    fn from_ref(shared: &Shared) -> Self {
        shared.hub.clone()
    }
}

impl FromRef<Shared> for Scrapes {
    fn from_ref(shared: &Shared) -> Self {
        shared.scrapes.clone()
    }
}

/// Serves until `shutdown`, then finishes the answers in hand, for at most five seconds.
pub async fn serve(listener: TcpListener, web: Web, shutdown: CancellationToken) {
    let router = router(web, Hub::new(shutdown.clone()));
    let connections = TaskTracker::new();
    let free = Arc::new(Semaphore::new(CONNECTIONS));
    while let Some((stream, permit)) = next(&listener, &free, &shutdown).await {
        let keep_alive = free.available_permits() >= SCARCE;
        let served = connection(stream, router.clone(), keep_alive, shutdown.clone());
        connections.spawn(async move {
            served.await;
            drop(permit);
        });
    }
    connections.close();
    if tokio::time::timeout(GRACE, connections.wait()).await.is_err() {
        tracing::warn!(
            connections = connections.len(),
            "left clients that were too slow to take their answers"
        );
    }
}

/// The next connection with its permit; `None` at the end. The permit comes first: who cannot be served is not accepted.
async fn next(
    listener: &TcpListener,
    free: &Arc<Semaphore>,
    shutdown: &CancellationToken,
) -> Option<(TcpStream, OwnedSemaphorePermit)> {
    let accepted = async {
        let permit = free.clone().acquire_owned().await.ok()?;
        loop {
            match listener.accept().await {
                Ok((stream, _)) => return Some((stream, permit)),
                Err(error) => {
                    // Out of file descriptors, most likely: connections that end give some back.
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    };
    tokio::select! {
        accepted = accepted => accepted,
        () = shutdown.cancelled() => None,
    }
}

async fn connection(stream: TcpStream, router: Router, keep_alive: bool, shutdown: CancellationToken) {
    // Without it the last piece of a long answer waits for an acknowledgement.
    let _ = stream.set_nodelay(true);
    let io = TokioIo::new(Patient::new(stream, WRITE_PATIENCE));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_PATIENCE)
        .max_buf_size(HEADER_BYTES)
        .keep_alive(keep_alive)
        .serve_connection(io, TowerToHyperService::new(router));
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = shutdown.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}

fn router(web: Web, hub: Hub) -> Router {
    Router::new()
        .route("/", get(pages::show))
        .route("/queues/{name}", get(pages::show))
        .route("/alarms", get(pages::show))
        .route("/alarms/{rule}", get(pages::show))
        .route("/silence", get(pages::silence::show).post(pages::silence::submit))
        .route("/silence/{id}", get(pages::silence::show_end).post(pages::silence::end))
        .route("/notifications", get(pages::show))
        .route("/parked", get(pages::parked::show).post(pages::parked::submit))
        .route("/system", get(pages::show))
        .route("/live", get(live::live))
        .route("/assets/{file}", get(pages::assets::asset))
        .route("/metrics", get(metrics::scrape))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/api/v1/queues", get(api::queues::list))
        .route("/api/v1/queues/{name}", get(api::queues::one))
        .route("/api/v1/queues/{name}/history", get(api::history::history))
        .route("/api/v1/alarms", get(api::alarms::list))
        .route("/api/v1/alarms/{alarm}", get(api::alarms::one::one))
        .route("/api/v1/notifications", get(api::notifications::list))
        .route("/api/v1/notifications/{destination}", delete(api::notifications::drop_all))
        .route("/api/v1/notifications/{destination}/resend", post(api::notifications::resend_all))
        .route("/api/v1/notifications/{destination}/{sequence}", delete(api::notifications::drop_one))
        .route("/api/v1/notifications/{destination}/{sequence}/resend", post(api::notifications::resend_one))
        .route("/api/v1/silences", get(api::silences::list).post(api::silences::create))
        .route("/api/v1/silences/{id}", delete(api::silences::end))
        .route("/-/reload", post(api::reload::reload))
        .fallback(answer::unknown_path)
        .method_not_allowed_fallback(answer::wrong_method)
        .layer(axum::middleware::map_response(hardened))
        .with_state(Shared { web, scrapes: Scrapes::default(), hub })
}

/// What every answer says to browsers: take the type as it is said, and keep nothing that ages.
async fn hardened(mut response: Response) -> Result<Response, Infallible> {
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    Ok(response)
}
