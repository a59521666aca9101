//! What the histories of 10,000 queues cost: memory, the time of one reading, the file and the time to write and read it.
//!
//! `cargo bench --bench history` prints it. Busy queues have noise in seven metrics and nothing delayed; idle ones are all 0.

use std::hint::black_box;
use std::time::{Duration, Instant};

use sqswatch::domain::history::{History, REACH, TRACKED};
use sqswatch::domain::metric::{Kind, Metric};
use sqswatch::domain::queue::QueueId;
use sqswatch::domain::time::{MINUTE, Timestamp};
use sqswatch::store::past;

const QUEUES: usize = 10_000;
const NOW: Timestamp = Timestamp::from_secs(1_767_323_040);

/// The memory of this process in MB; 0 where it cannot be told.
fn resident() -> f64 {
    let pages = std::fs::read_to_string("/proc/self/statm").ok();
    let pages = pages.and_then(|text| text.split(' ').nth(1)?.parse::<f64>().ok());
    pages.unwrap_or_default() * 4096.0 / 1e6
}

/// A history that was filled as a daemon fills it, for a week.
fn filled(busy: bool, random: &mut fastrand::Rng) -> History {
    let mut history = History::default();
    let mut at = NOW - REACH;
    let scale = 10f64.powf(random.f64() * 4.0);
    while at < NOW {
        for metric in TRACKED.into_iter().filter(|metric| *metric != Metric::DeadLetters) {
            let noise = if busy && metric != Metric::MessagesDelayed { random.f64() * scale } else { 0.0 };
            match metric.row().kind {
                Kind::Gauge => history.read(metric, at, noise.floor()),
                Kind::Counter => history.tell(metric, at, [(at - MINUTE * 2, noise.floor())]),
            }
        }
        // A minute now and then is enough of the coarse past.
        at = at + if NOW.since(at) > Duration::from_secs(4 * 3600) { MINUTE * 10 } else { MINUTE };
    }
    history
}

fn each(times: u32, mut work: impl FnMut(u32)) -> f64 {
    let began = Instant::now();
    (0..times).for_each(&mut work);
    began.elapsed().as_nanos() as f64 / f64::from(times)
}

fn measure(busy: bool) {
    let what = if busy { "busy" } else { "idle" };
    let mut random = fastrand::Rng::with_seed(7);
    let before = resident();
    let histories: Vec<History> = (0..QUEUES).map(|_| filled(busy, &mut random)).collect();
    println!("{QUEUES} {what} queues: {:.0} MB", resident() - before);

    let file = tempfile::NamedTempFile::new().expect("a folder for temporary files");
    let id = |n: usize| QueueId::new("123456789012", "eu-west-1", format!("service-{n:05}-events"));
    let began = Instant::now();
    let copies = histories.iter().enumerate().map(|(n, history)| (id(n), history.clone()));
    let bytes = past::write(file.path(), copies).expect("room for the file");
    println!("  file: {:.1} MB, written in {:.0?}", bytes as f64 / 1e6, began.elapsed());
    let began = Instant::now();
    let read = past::read(file.path()).expect("what was written");
    println!("  read in {:.0?}", began.elapsed());
    assert_eq!(read.len(), QUEUES);
}

fn main() {
    let mut history = filled(true, &mut fastrand::Rng::with_seed(1));
    let second = |n: u32| NOW + Duration::from_secs(u64::from(n));
    let same = each(1_000_000, |_| history.read(Metric::MessagesVisible, NOW, black_box(5.0)));
    let read = each(1_000_000, |n| {
        history.read(Metric::MessagesVisible, second(15 * n), black_box(f64::from(n % 9000)))
    });
    let told = each(1_000_000, |n| {
        let minute = second(60 * n).max(history.end());
        history.tell(Metric::MessagesSent, minute, [(minute - MINUTE * 2, black_box(f64::from(n % 9000)))]);
    });
    println!(
        "one reading: {same:.0} ns unchanged, {read:.0} ns every 15 s; one minute of CloudWatch: {told:.0} ns"
    );
    let end = history.end();
    let plot =
        each(10_000, |_| drop(black_box(history.points(Metric::MessagesSent, end - MINUTE * 180, end, 500))));
    let week = each(10_000, |_| drop(black_box(history.points(Metric::MessagesSent, end - REACH, end, 500))));
    println!("a plot of three hours: {:.1} us, of a week: {:.1} us", plot / 1e3, week / 1e3);
    measure(true);
    measure(false);
}
