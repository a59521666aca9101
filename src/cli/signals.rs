//! The signals of the process as two plain things: a token that says "stop", and a stream of "reload".

use std::io;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// What signals say.
#[derive(Debug)]
pub struct Signals {
    /// Cancelled by the first SIGTERM or SIGINT.
    pub stop: CancellationToken,
    /// One item a SIGHUP.
    pub hangups: mpsc::Receiver<()>,
}

impl Signals {
    /// Starts to listen. The second SIGTERM or SIGINT ends the process at once with exit code 1.
    ///
    /// # Errors
    /// When the kernel refuses a handler.
    pub fn listen() -> io::Result<Self> {
        let (mut terminate, mut interrupt) =
            (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        let mut hangup = signal(SignalKind::hangup())?;
        let (sender, hangups) = mpsc::channel(1);
        let stop = CancellationToken::new();
        let token = stop.clone();
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    _ = terminate.recv() => {}
                    _ = interrupt.recv() => {}
                    _ = hangup.recv() => {
                        // A full channel already holds a reload that will see this change too.
                        let _ = sender.try_send(());
                        continue;
                    }
                }
                if token.is_cancelled() {
                    std::process::exit(1);
                }
                token.cancel();
            }
        });
        Ok(Self { stop, hangups })
    }
}
