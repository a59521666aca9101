//! Killed with -9 again and again while hundreds of alarms change: every change reaches every receiver, in order for each
//! alarm; what comes twice comes because of a kill, and with the same id.
//!
//! What is true is known without asking the daemon how often anything changed: a queue is filled only after its alarms were
//! seen in OK and emptied only after they were seen in ALARM, so that each turn is one change of each of its alarms.
//! `SQSWATCH_KILL_SECONDS` makes the run longer, `SQSWATCH_KILL_SEED` repeats its random choices.

mod receiver;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use sqswatch::simulator::{Options, Simulator};

use crate::daemon::{ANYBODY, Daemon};
use crate::eventually::eventually;
use crate::shop;
use receiver::{Accepted, Moment, Mood, Receiver};

const QUEUES: usize = 16;
/// How many alarms there are on each.
const RULES: u64 = 10;

/// The name of a rule and of a queue.
type Alarm = (String, String);

/// The queues, which of them were filled, and how often they were turned.
struct World {
    simulator: Simulator,
    turns: BTreeMap<String, usize>,
}

impl World {
    async fn open() -> Self {
        let simulator = Simulator::start(Options::default()).await.unwrap();
        let names = (0..QUEUES).map(|number| format!("work-{number:02}"));
        let turns: BTreeMap<String, usize> = names.map(|name| (name, 0)).collect();
        turns.keys().for_each(|name| simulator.control().create_queue(name, &[], &[]));
        Self { simulator, turns }
    }

    /// How many changes of an alarm's state the turns so far are.
    fn transitions(&self) -> usize {
        self.turns.values().sum::<usize>() * RULES as usize
    }

    /// Turns every queue whose alarms are where its last turn should bring them; returns how many are not there yet.
    fn turn(&mut self, states: &BTreeMap<Alarm, String>, go_on: bool) -> usize {
        let mut behind = 0;
        for (queue, turns) in &mut self.turns {
            let expected = if *turns % 2 == 1 { "ALARM" } else { "OK" };
            let mut of_queue = states.iter().filter(|((_, name), _)| name == queue).map(|(_, state)| state);
            let arrived = of_queue.clone().count() as u64 == RULES && of_queue.all(|state| state == expected);
            behind += usize::from(!arrived);
            if arrived && go_on {
                *turns += 1;
                let visible = if *turns % 2 == 1 { RULES } else { 0 };
                self.simulator.control().set_counts(queue, visible, 0, 0);
            }
        }
        behind
    }
}

fn config(world: &World, receivers: &[Receiver]) -> String {
    let alarm = |threshold: u64| {
        format!(
            "{{ name: over-{threshold}, queues: {{ name: [\"work-*\"] }}, metric: messages_visible, period: 10s, \
             comparison: \">=\", threshold: {threshold}, treat_missing_data: ignore }}"
        )
    };
    let alarms: Vec<String> = (1..=RULES).map(alarm).collect();
    // An attempt that times out is made again, as it must be: only a receiver that hangs may be given up on. All of them live in
    // this one process, which a busy machine can hold up for more than a second.
    let destination = |receiver: &Receiver| {
        let timeout = if receiver.name == "moody" { "3s" } else { "10s" };
        format!("  {}: {{ webhook: {{ url: \"{}\", timeout: {timeout} }} }}\n", receiver.name, receiver.url)
    };
    let destinations: Vec<String> = receivers.iter().map(destination).collect();
    let more = format!("alarms: [{}]\ndestinations:\n{}", alarms.join(", "), destinations.concat());
    shop::config(&world.simulator, &more)
}

/// The state of each alarm; nothing while the daemon cannot be asked.
async fn states(daemon: &Daemon) -> BTreeMap<Alarm, String> {
    let Ok(answer) = daemon.json("/api/v1/alarms").await else { return BTreeMap::new() };
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let alarms = answer["alarms"].as_array().into_iter().flatten();
    alarms.map(|alarm| ((text(&alarm["alarm"]), text(&alarm["queue"])), text(&alarm["state"]))).collect()
}

/// How the daemon is going to be killed.
struct Plan {
    /// Which receiver does it, if none of them the clock.
    assassin: Option<usize>,
    /// When it is killed at the latest.
    latest: Instant,
}

impl Plan {
    /// Any moment of its life, or that between two halves of a delivery.
    fn new(daemon: &Daemon, receivers: &[Receiver], random: &mut fastrand::Rng) -> Self {
        let seconds = |seconds| Instant::now() + Duration::from_secs(seconds);
        let moment = match random.u8(..3) {
            0 => return Self { assassin: None, latest: seconds(random.u64(..20)) },
            1 => Moment::BeforeTheAnswer,
            _ => Moment::AfterTheAnswer,
        };
        let assassin = random.usize(..receivers.len());
        receivers[assassin].hire(moment, daemon.pid(), random.usize(..200));
        Self { assassin: Some(assassin), latest: seconds(30) }
    }

    /// When the daemon was killed, or is to be killed now.
    fn is_over(&self, receivers: &[Receiver]) -> Option<Instant> {
        let killed = self.assassin.and_then(|assassin| receivers[assassin].done_at());
        killed.or_else(|| Some(Instant::now()).filter(|now| *now >= self.latest))
    }
}

#[tokio::test]
async fn no_kill_loses_a_page_or_its_order() {
    let number = |name: &str, usual: u64| std::env::var(name).map_or(usual, |text| text.parse().unwrap());
    let seed = number("SQSWATCH_KILL_SEED", fastrand::u64(..));
    let length = Duration::from_secs(number("SQSWATCH_KILL_SECONDS", 80));
    println!("SQSWATCH_KILL_SEED={seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let mut world = World::open().await;
    let receivers = [
        Receiver::start("steady", Mood::Steady, random.fork()).await,
        Receiver::start("slow", Mood::Slow, random.fork()).await,
        Receiver::start("moody", Mood::Moody, random.fork()).await,
    ];
    let mut daemon = Daemon::start(&config(&world, &receivers), ANYBODY).await;

    let (start, mut kills) = (Instant::now(), Vec::new());
    let mut plan = Plan::new(&daemon, &receivers, &mut random);
    // When kills come is chance, and a busy machine turns queues slowly: the run goes on until it proves something.
    let proves = |kills: usize, transitions: usize| kills >= 5 && transitions >= 200;
    while start.elapsed() < length || !proves(kills.len(), world.transitions()) {
        assert!(
            start.elapsed() < length * 5,
            "{} kills, {} transitions in so long",
            kills.len(),
            world.transitions()
        );
        world.turn(&states(&daemon).await, true);
        tokio::time::sleep(Duration::from_millis(random.u64(50..150))).await;
        if let Some(before) = plan.is_over(&receivers) {
            let home = daemon.kill().await;
            receivers.iter().for_each(Receiver::dismiss);
            daemon = Daemon::start_at(home, ANYBODY).await;
            // Not sooner: what was sent before the kill may still be on its way to a receiver.
            kills.push((before, Instant::now()));
            plan = Plan::new(&daemon, &receivers, &mut random);
        }
    }
    receivers.iter().for_each(Receiver::dismiss);
    receivers.iter().for_each(|receiver| receiver.be(Mood::Steady));
    eventually("every alarm is where its queue is", async || {
        match world.turn(&states(&daemon).await, false) {
            0 => Ok(()),
            behind => Err(format!("{behind} are not")),
        }
    })
    .await;
    shop::until_owed(&daemon, 0).await;
    daemon.stop().await;

    let expected: BTreeMap<Alarm, usize> = (world.turns.iter())
        .flat_map(|(queue, turns)| (1..=RULES).map(|rule| ((format!("over-{rule}"), queue.clone()), *turns)))
        .collect();
    let transitions: usize = expected.values().sum();
    let mut ids: Vec<BTreeMap<Alarm, Vec<String>>> = Vec::new();
    let mut duplicates = 0;
    for receiver in &receivers {
        let accepted = receiver.accepted();
        ids.push(in_order(&receiver.name, &accepted, &expected));
        let twice = twice(&accepted);
        for (first, again) in &twice {
            let between =
                kills.iter().any(|(before, after)| *before <= again.arrived && *after >= first.arrived);
            assert!(between, "{}: {} came twice without a kill between", receiver.name, first.id);
        }
        assert!(twice.len() <= kills.len(), "one attempt is in hand at a kill: {} came twice", twice.len());
        duplicates += twice.len();
        println!(
            "{}: {} requests, {} taken, {} twice",
            receiver.name,
            receiver.requests(),
            accepted.len(),
            twice.len()
        );
    }
    assert!(ids.iter().all(|of_receiver| *of_receiver == ids[0]), "receivers were told different things");
    println!(
        "{} kills, {transitions} transitions to {} receivers each, {duplicates} duplicates, in {} s",
        kills.len(),
        receivers.len(),
        start.elapsed().as_secs()
    );
    assert!(proves(kills.len(), transitions), "the run was too short to prove anything");
}

/// The ids of each alarm in the order in which they were taken first. Firing and end must take turns, as often as the queue
/// was turned.
fn in_order(
    receiver: &str,
    accepted: &[Accepted],
    expected: &BTreeMap<Alarm, usize>,
) -> BTreeMap<Alarm, Vec<String>> {
    let mut told: BTreeMap<Alarm, Vec<(String, String)>> = BTreeMap::new();
    for page in accepted {
        let told = told.entry((page.alarm.clone(), page.queue.clone())).or_default();
        // What comes again comes at once: nothing of the same alarm may be taken in between.
        if told.last().is_none_or(|(id, _)| *id != page.id) {
            told.push((page.id.clone(), page.event.clone()));
        }
    }
    for (alarm, turns) in expected {
        let events: Vec<&str> =
            told.get(alarm).into_iter().flatten().map(|(_, event)| event.as_str()).collect();
        let right: Vec<&str> = ["firing", "resolved"].into_iter().cycle().take(*turns).collect();
        assert_eq!(events, right, "{receiver}: {alarm:?}");
    }
    told.into_iter().map(|(alarm, told)| (alarm, told.into_iter().map(|(id, _)| id).collect())).collect()
}

/// Pairs of the same notification that were both taken.
fn twice(accepted: &[Accepted]) -> Vec<(&Accepted, &Accepted)> {
    let mut last: BTreeMap<&str, &Accepted> = BTreeMap::new();
    let mut pairs = Vec::new();
    for page in accepted {
        pairs.extend(last.insert(&page.id, page).map(|first| (first, page)));
    }
    pairs
}
