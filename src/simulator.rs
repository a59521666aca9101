//! An in-process AWS on loopback: SQS, CloudWatch, SNS and STS as their SDKs speak to them.
//!
//! `sqswatch demo`, the tests and the benches run against it. It speaks the real wire protocols (AWS JSON for SQS, CBOR and
//! JSON for CloudWatch, the query protocol for SNS and STS), keeps queues by account and region, can hold a living
//! world, and fails on demand. It guarantees that nothing a client sends makes it panic, and that what it does not
//! know is refused, never silently accepted. It knows nothing of the rest of the crate.
//!
//! ```text
//! server     sockets                          world      the shop's producers and consumers
//! http       faults, dispatch                 publisher  the AWS/SQS metrics, minute by minute
//! call       what is asked, by whom           synthetic  thousands of queues by formula
//! sqs cloudwatch sns sts   the operations     control    what tests do from inside
//! wire cbor form           the encodings      fault      what goes wrong on demand
//! cloud queue settings message metrics topic  the state, pure
//! ```

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

mod call;
mod cbor;
mod clock;
mod cloud;
mod cloudwatch;
mod control;
mod fault;
mod form;
mod http;
mod message;
mod metrics;
mod publisher;
mod queue;
mod refusal;
mod server;
mod settings;
mod shared;
mod sns;
mod sqs;
mod sts;
mod synthetic;
mod tally;
mod topic;
mod wire;
mod world;

#[cfg(test)]
mod tests;

pub use control::{Control, Received};
pub use fault::{Fault, FaultKind, SeriesStatus};
pub use message::MessageAttribute;
pub use topic::Published;

use cloud::Scope;
use publisher::Lateness;
use shared::{Shared, lock};
use world::Living;

/// How to start a simulator.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The simulator's own account, 12 digits.
    pub account: String,
    /// The simulator's own region.
    pub region: String,
    /// What there is at the start.
    pub world: World,
    /// Where randomness starts.
    pub seed: u64,
    /// Tempo of the living world: rates and waits, not timestamps. 1 is ordinary.
    pub speed: f64,
    /// From the end of a minute to its datapoint. AWS takes one to three minutes.
    pub cloudwatch_delay: Duration,
    /// Whether counted datapoints are first seen incomplete, after half of the delay.
    pub revised_datapoints: bool,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            account: "123456789012".to_owned(),
            region: "us-east-1".to_owned(),
            world: World::Empty,
            seed: 1,
            speed: 1.0,
            cloudwatch_delay: Duration::from_secs(60),
            revised_datapoints: false,
        }
    }
}

/// What there is at the start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum World {
    /// Nothing.
    Empty,
    /// A shop with a dozen queues, worked by producers and consumers who do not always do well.
    Demo,
    /// Queues that are a function of time, `bench-00000` and up.
    Synthetic {
        /// How many.
        queues: usize,
    },
}

/// A running simulator; it stops when it is dropped, or waited for with `stop`.
#[derive(Debug)]
pub struct Simulator {
    endpoint: String,
    control: Control,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Simulator {
    /// Starts listening; when this returns, the world has an hour of history and requests are answered.
    ///
    /// # Errors
    /// If the address cannot be listened on.
    pub async fn start(options: Options) -> io::Result<Simulator> {
        let listener = TcpListener::bind(options.listen).await?;
        let endpoint = format!("http://{}", listener.local_addr()?);
        let home = Scope { account: options.account, region: options.region };
        let synthetic = match options.world {
            World::Synthetic { queues } => Some((queues, options.cloudwatch_delay)),
            _ => None,
        };
        let shared = Arc::new(Shared::new(home.clone(), endpoint.clone(), options.seed, synthetic));
        let lateness = Lateness { delay: options.cloudwatch_delay, revised: options.revised_datapoints };
        let living = (options.world == World::Demo)
            .then(|| Living::open(&mut lock(&shared.cloud), &home, options.seed, lateness, clock::now()));
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        tasks.spawn(server::serve(listener, http::router(shared.clone()), stop.clone()));
        let world = world::run(shared.clone(), living, lateness, options.speed);
        tasks.spawn(stop.clone().run_until_cancelled_owned(world));
        Ok(Simulator { endpoint, control: Control::new(shared), stop, tasks })
    }

    /// `http://127.0.0.1:port`, for every service.
    pub fn endpoint_url(&self) -> String {
        self.endpoint.clone()
    }

    /// What tests do from inside.
    pub fn control(&self) -> &Control {
        &self.control
    }

    /// Closes every connection and waits until all is over.
    pub async fn stop(self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}
