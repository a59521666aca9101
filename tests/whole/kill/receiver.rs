//! A receiver with a mood of its own, which may also kill who calls it.

use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::receiver::read_request;

/// How it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    /// 200 at once.
    Steady,
    /// 200 after a while.
    Slow,
    /// Now and then 500, 429, nothing at all, or a broken connection.
    Moody,
}

/// When it kills the daemon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    BeforeTheAnswer,
    AfterTheAnswer,
}

/// What it is hired for.
#[derive(Clone, Copy, Debug)]
struct Contract {
    moment: Moment,
    pid: u32,
    /// How many requests are let by.
    spared: usize,
}

/// A notification that was answered with 200.
#[derive(Clone, Debug)]
pub struct Accepted {
    pub id: String,
    pub event: String,
    pub alarm: String,
    pub queue: String,
    pub arrived: Instant,
}

pub struct Receiver {
    pub name: String,
    pub url: String,
    desk: Arc<Desk>,
}

struct Desk {
    mood: Mutex<Mood>,
    contract: Mutex<Option<Contract>>,
    done_at: Mutex<Option<Instant>>,
    random: Mutex<fastrand::Rng>,
    accepted: Mutex<Vec<Accepted>>,
    requests: Mutex<usize>,
}

impl Receiver {
    pub async fn start(name: &str, mood: Mood, random: fastrand::Rng) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let desk = Arc::new(Desk {
            mood: Mutex::new(mood),
            contract: Mutex::default(),
            done_at: Mutex::default(),
            random: Mutex::new(random),
            accepted: Mutex::default(),
            requests: Mutex::default(),
        });
        let served = desk.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let desk = served.clone();
                tokio::spawn(async move { desk.serve(stream).await });
            }
        });
        Self { name: name.to_owned(), url, desk }
    }

    pub fn be(&self, mood: Mood) {
        *self.desk.mood.lock().unwrap() = mood;
    }

    /// Kills `pid` after so many requests were taken.
    pub fn hire(&self, moment: Moment, pid: u32, spared: usize) {
        *self.desk.contract.lock().unwrap() = Some(Contract { moment, pid, spared });
    }

    /// When it has killed.
    pub fn done_at(&self) -> Option<Instant> {
        *self.desk.done_at.lock().unwrap()
    }

    /// It kills nobody any more.
    pub fn dismiss(&self) {
        *self.desk.contract.lock().unwrap() = None;
        *self.desk.done_at.lock().unwrap() = None;
    }

    pub fn accepted(&self) -> Vec<Accepted> {
        self.desk.accepted.lock().unwrap().clone()
    }

    pub fn requests(&self) -> usize {
        *self.desk.requests.lock().unwrap()
    }
}

/// What it does with one request.
enum Act {
    Take,
    Answer(&'static str),
    Hang,
    Reset,
}

impl Desk {
    /// One request, one connection.
    async fn serve(&self, mut stream: TcpStream) -> Option<()> {
        let request = read_request(&mut stream).await?;
        let arrived = Instant::now();
        *self.requests.lock().unwrap() += 1;
        let act = self.act();
        if matches!(act, Act::Take) {
            self.kill_if_hired_for(Moment::BeforeTheAnswer);
        }
        if *self.mood.lock().unwrap() == Mood::Slow {
            let pause = self.random.lock().unwrap().u64(..150);
            tokio::time::sleep(Duration::from_millis(pause)).await;
        }
        match act {
            Act::Take => {
                self.accept(&request.body, arrived);
                stream.write_all(answer("200 OK").as_bytes()).await.ok()?;
                self.kill_if_hired_for(Moment::AfterTheAnswer);
            }
            Act::Answer(status) => stream.write_all(answer(status).as_bytes()).await.ok()?,
            Act::Hang => std::future::pending().await,
            Act::Reset => return None,
        }
        let _ = stream.shutdown().await;
        // Until the other side has closed, so that no reset overtakes the answer.
        let _ = stream.read(&mut [0; 16]).await;
        Some(())
    }

    fn act(&self) -> Act {
        if *self.mood.lock().unwrap() != Mood::Moody {
            return Act::Take;
        }
        match self.random.lock().unwrap().u32(..100) {
            0..2 => Act::Answer("500 Sorry"),
            2..4 => Act::Answer("429 Later"),
            4..5 => Act::Hang,
            5..7 => Act::Reset,
            _ => Act::Take,
        }
    }

    /// Noted before the answer goes out: whether it arrives is not for a receiver to know.
    fn accept(&self, body: &str, arrived: Instant) {
        let body: Value = serde_json::from_str(body).unwrap();
        let text = |path: &str| body.pointer(path).and_then(Value::as_str).unwrap().to_owned();
        self.accepted.lock().unwrap().push(Accepted {
            id: text("/id"),
            event: text("/event"),
            alarm: text("/alarm/name"),
            queue: text("/queue/name"),
            arrived,
        });
    }

    fn kill_if_hired_for(&self, moment: Moment) {
        let mut contract = self.contract.lock().unwrap();
        let Some(hired) = contract.as_mut().filter(|hired| hired.moment == moment) else { return };
        if hired.spared > 0 {
            hired.spared -= 1;
            return;
        }
        *self.done_at.lock().unwrap() = Some(Instant::now());
        let killed = Command::new("kill").args(["-KILL", &hired.pid.to_string()]).status();
        assert!(killed.is_ok_and(|status| status.success()), "cannot kill {}", hired.pid);
        *contract = None;
    }
}

fn answer(status: &str) -> String {
    format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
}
