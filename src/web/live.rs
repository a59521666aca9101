//! GET /live: tells open pages what has changed on them, as server-sent events.
//!
//! Guarantees. However many browsers look at one view, it is rendered once for all; views are rendered one after the other
//! and take at most a quarter of one core, whatever their number: polling never waits for browsers. A browser that is slow or
//! was away is told the difference between what it saw last and now, never a backlog. Who finds no seat is answered 503 and
//! may fetch pages now and then.
//!
//! Events: `build` (the build's name, at the start), `change` (see `pages::page::Change`), and `beat` every few seconds
//! (how old the rendering is, in milliseconds) so that a page notices when nothing comes any more.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use axum::extract::{Query, State};
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde::Deserialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_util::sync::CancellationToken;

use super::Web;
use super::answer::Fault;
use super::pages::{self, View, page::Page};

/// How many pages are kept live at once.
pub const SEATS: usize = 768;
/// How often a view is looked at anew.
const INTERVAL: Duration = Duration::from_secs(2);
/// How often a page hears that it is still connected.
const BEAT: Duration = Duration::from_secs(5);
/// A rendering is followed by a rest of this many times its length.
const REST: u32 = 3;

/// All open pages. Cheap to clone.
#[derive(Clone)]
pub struct Hub(Arc<Inner>);

struct Inner {
    views: Mutex<HashMap<String, watch::Sender<Option<Arc<Rendering>>>>>,
    seats: Arc<Semaphore>,
    /// One rendering at a time.
    turn: Arc<Semaphore>,
    shutdown: CancellationToken,
}

/// A view at one moment.
struct Rendering {
    page: Page,
    version: u64,
    at: Instant,
    /// The change from the rendering before, which is what nearly everybody needs.
    previous: Option<(u64, Bytes)>,
}

impl Hub {
    /// No page is open. All are closed at `shutdown`.
    pub fn new(shutdown: CancellationToken) -> Self {
        let (views, seats) = (Mutex::default(), Arc::new(Semaphore::new(SEATS)));
        Self(Arc::new(Inner { views, seats, turn: Arc::new(Semaphore::new(1)), shutdown }))
    }

    /// Looks at the view `name` along with everybody who does.
    fn look(&self, web: &Web, name: String, view: View) -> watch::Receiver<Option<Arc<Rendering>>> {
        let mut views = self.0.views.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(view) = views.get(&name) {
            return view.subscribe();
        }
        let (sender, receiver) = watch::channel(None);
        views.insert(name.clone(), sender.clone());
        tokio::spawn(self.clone().keep(web.clone(), name, view, sender));
        receiver
    }

    /// Renders one view again and again until nobody looks at it.
    async fn keep(self, web: Web, name: String, view: View, sender: watch::Sender<Option<Arc<Rendering>>>) {
        while !self.is_deserted(&name, &sender) {
            let before = sender.borrow().clone();
            let rendering = tokio::select! {
                rendering = self.render(&web, &view, before) => rendering,
                () = self.0.shutdown.cancelled() => break,
            };
            sender.send_replace(Some(Arc::new(rendering)));
            tokio::time::sleep(INTERVAL).await;
        }
    }

    /// Forgets the view if nobody looks at it; under the lock, so that nobody can begin to meanwhile.
    fn is_deserted(&self, name: &str, sender: &watch::Sender<Option<Arc<Rendering>>>) -> bool {
        let mut views = self.0.views.lock().unwrap_or_else(PoisonError::into_inner);
        let deserted = sender.receiver_count() == 0;
        if deserted {
            views.remove(name);
        }
        deserted
    }

    async fn render(&self, web: &Web, view: &View, before: Option<Arc<Rendering>>) -> Rendering {
        let turn = self.0.turn.clone().acquire_owned().await;
        let began = Instant::now();
        let page = view.render(web).await;
        let version = page.version();
        let previous = before.map(|before| match version == before.version {
            true => (version, Bytes::new()),
            false => (before.version, event("change", &json(&page.change_since(Some(&before.page))))),
        });
        let rest = began.elapsed() * REST;
        tokio::spawn(async move {
            tokio::time::sleep(rest).await;
            drop(turn); // only now may the next view be rendered
        });
        Rendering { page, version, at: Instant::now(), previous }
    }
}

/// What a page says of itself.
#[derive(Debug, Deserialize)]
pub struct Seen {
    /// Path and query of the page.
    view: String,
    /// The version it shows, in hex.
    version: Option<String>,
}

/// GET /live?view=PATH&version=HEX
pub async fn live(
    State(web): State<Web>,
    State(hub): State<Hub>,
    Query(seen): Query<Seen>,
) -> Result<Response, Fault> {
    let view = seen.view.parse::<Uri>().ok().and_then(|uri| View::of(&uri));
    let Some(view) = view else {
        let error = format!("there is no page at `{}`", seen.view);
        return Err(Fault::new(StatusCode::NOT_FOUND, error, "view is the path and query of a page"));
    };
    let Ok(seat) = hub.0.seats.clone().try_acquire_owned() else {
        let hint = "close some, or look again later; pages can be fetched all the same";
        return Err(Fault::new(StatusCode::SERVICE_UNAVAILABLE, "too many pages are kept live", hint));
    };
    let listener = Listener {
        view: hub.look(&web, seen.view, view),
        last: None,
        version: seen.version.and_then(|hex| u64::from_str_radix(&hex, 16).ok()),
        shutdown: hub.0.shutdown.clone(),
        greeting: Some(event("build", pages::assets::build())),
        _seat: seat,
    };
    let events = stream::unfold(listener, |mut listener| async {
        let event = listener.next().await?;
        Some((Ok::<_, Infallible>(event), listener))
    });
    let headers = [(header::CONTENT_TYPE, "text/event-stream"), (header::CACHE_CONTROL, "no-store")];
    // Proxies that collect answers would hold events back.
    let unbuffered = [("x-accel-buffering", "no")];
    Ok((headers, unbuffered, Body::from_stream(events)).into_response())
}

/// One open page.
struct Listener {
    view: watch::Receiver<Option<Arc<Rendering>>>,
    last: Option<Arc<Rendering>>,
    /// What the page showed when it came.
    version: Option<u64>,
    shutdown: CancellationToken,
    greeting: Option<Bytes>,
    _seat: OwnedSemaphorePermit,
}

impl Listener {
    /// The next event; `None` at the end.
    async fn next(&mut self) -> Option<Bytes> {
        if let Some(greeting) = self.greeting.take() {
            return Some(greeting);
        }
        let beat = tokio::time::Instant::now() + BEAT;
        loop {
            tokio::select! {
                biased;
                () = self.shutdown.cancelled() => return None,
                changed = self.view.changed() => {
                    changed.ok()?;
                    let now = self.view.borrow_and_update().clone()?;
                    let told = self.told(&now);
                    self.last = Some(now);
                    if !told.is_empty() { return Some(told) }
                }
                () = tokio::time::sleep_until(beat) => {
                    let age = self.last.as_ref().map_or(0, |last| last.at.elapsed().as_millis());
                    return Some(event("beat", &age.to_string()));
                }
            }
        }
    }

    /// What this page must be told of `now`; empty when it shows that already.
    fn told(&mut self, now: &Rendering) -> Bytes {
        let shown = self.last.as_ref().map(|last| last.version).or(self.version);
        match (&now.previous, shown) {
            (_, Some(shown)) if shown == now.version => Bytes::new(),
            (Some((before, change)), Some(shown)) if *before == shown => change.clone(),
            _ => event("change", &json(&now.page.change_since(self.last.as_ref().map(|last| &last.page)))),
        }
    }
}

fn json(change: &pages::Change<'_>) -> String {
    serde_json::to_string(change).unwrap_or_else(|_| r#"{"anew":true}"#.to_owned())
}

/// One event; `data` is a single line, as JSON and words are.
fn event(name: &str, data: &str) -> Bytes {
    format!("event: {name}\ndata: {data}\n\n").into()
}
