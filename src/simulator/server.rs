//! The listening socket and its connections.
//!
//! Connections are served by hyper rather than `axum::serve`, because a fault must be able to reset one: the socket is
//! taken back from hyper, told not to linger, and dropped, which sends RST.

use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::Service;

use super::http::Reset;

/// Serves `router` until `stop`; then drops what is still connected.
pub async fn serve(listener: TcpListener, router: Router, stop: CancellationToken) {
    let connections = TaskTracker::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => break,
        };
        match accepted {
            Ok((stream, _)) => {
                let connection = connection(stream, router.clone());
                connections.spawn(stop.clone().run_until_cancelled_owned(connection));
            }
            // Out of file descriptors, most likely: give some of them time to come back.
            Err(_) => sleep(Duration::from_millis(50)).await,
        }
    }
    connections.close();
    connections.wait().await;
}

#[derive(Debug, thiserror::Error)]
#[error("a fault resets this connection")]
struct ResetByFault;

async fn connection(stream: TcpStream, router: Router) {
    // Nagle's delay would be measured as the server's slowness.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| Box::pin(answer(router.clone(), request)));
    let mut connection =
        http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service);
    let served = poll_fn(|context| connection.poll_without_shutdown(context)).await;
    let stream = connection.into_parts().io.into_inner();
    if served.is_err_and(|error| is_reset(&error)) {
        let _: io::Result<()> = stream.set_zero_linger();
    }
}

async fn answer(mut router: Router, request: Request<Incoming>) -> Result<Response<Body>, ResetByFault> {
    let answered: Result<_, Infallible> = router.call(request).await;
    match answered {
        Ok(response) if response.extensions().get::<Reset>().is_some() => Err(ResetByFault),
        Ok(response) => Ok(response),
        Err(never) => match never {},
    }
}

fn is_reset(error: &hyper::Error) -> bool {
    std::error::Error::source(error).is_some_and(|source| source.is::<ResetByFault>())
}
