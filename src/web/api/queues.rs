//! GET /api/v1/queues and /api/v1/queues/{name}.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};

use super::alarms::AlarmView;
use super::{Asked, asked, instant};
use crate::board::{Board, Target, TargetHealth, Watched};
use crate::clock;
use crate::domain::alarm::Subject;
use crate::domain::metric::CATALOGUE;
use crate::domain::queue::QueueId;
use crate::domain::rule::{Glob, RoleSelector, Selector};
use crate::domain::time::Timestamp;
use crate::web::Web;
use crate::web::answer::Fault;
use crate::web::health::watched_per_target;

/// Which queues are asked for; all that is given must match.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Filter {
    /// `dead_letter`, `source`, `both`, `plain` or `not_dead_letter`.
    role: Option<String>,
    /// A glob over the name.
    name: Option<String>,
    /// The owning account.
    account: Option<String>,
    /// The region's code.
    region: Option<String>,
}

impl Filter {
    fn selector(self) -> Result<Selector, Fault> {
        let role = self.role.map(|word| role(&word)).transpose()?;
        let names = self.name.iter().map(|name| Glob::new(name)).collect();
        Ok(Selector { names, role, region: self.region, account: self.account, ..Selector::default() })
    }
}

fn role(word: &str) -> Result<RoleSelector, Fault> {
    let known = RoleSelector::WORDS.iter().find(|(known, _)| *known == word);
    known.map(|(_, role)| *role).ok_or_else(|| {
        let words: Vec<&str> = RoleSelector::WORDS.iter().map(|(word, _)| *word).collect();
        let hint = format!("role is one of {}", words.join(", "));
        Fault::new(StatusCode::BAD_REQUEST, format!("`{word}` is not a role"), hint)
    })
}

/// The answer of `/api/v1/queues`.
#[derive(Debug, Serialize)]
pub struct QueueList {
    /// The watched queues that match, by account, region and name.
    pub queues: Vec<QueueView>,
    /// Every account and region that is read, and what is not watched there.
    pub targets: Vec<TargetView>,
}

/// One watched queue.
#[derive(Debug, Serialize)]
pub struct QueueView {
    /// The owning account.
    pub account: String,
    /// The region's code.
    pub region: String,
    /// The name.
    pub name: String,
    /// What the SQS API takes.
    pub url: String,
    /// `standard` or `fifo`.
    pub kind: &'static str,
    /// `plain`, `source`, `dead_letter` or `both`.
    pub role: &'static str,
    /// The name of the queue that its dead letters go to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dead_letter_queue: Option<String>,
    /// The names of the queues whose dead letters arrive here.
    pub sources: Vec<String>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// Every known value by its name in the catalogue: the newest of a gauge, the total of a counter.
    pub metrics: BTreeMap<&'static str, f64>,
    /// When each source was last read.
    pub last_readings: LastReadings,
    /// Its alarms.
    pub alarms: Vec<AlarmView>,
}

/// When a queue was last read.
#[derive(Debug, Serialize)]
pub struct LastReadings {
    /// Its counts.
    #[serde(serialize_with = "instant", skip_serializing_if = "Option::is_none")]
    pub attributes: Option<Timestamp>,
    /// Its settings.
    #[serde(serialize_with = "instant", skip_serializing_if = "Option::is_none")]
    pub settings: Option<Timestamp>,
    /// Its CloudWatch metrics.
    #[serde(serialize_with = "instant", skip_serializing_if = "Option::is_none")]
    pub cloudwatch: Option<Timestamp>,
}

/// One account and region as one identity sees it. discovered = watched + skipped.
#[derive(Debug, Serialize)]
pub struct TargetView {
    /// The region's code.
    pub region: String,
    /// The role that is assumed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role_arn: Option<String>,
    /// The account, once known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// When all queues were last listed.
    #[serde(serialize_with = "instant", skip_serializing_if = "Option::is_none")]
    pub discovered_at: Option<Timestamp>,
    /// How many queues are watched.
    pub watched: usize,
    /// The queues that are not, by name, and why: `excluded`, `tags`, `denied`, `gone` or `unreadable`.
    pub skipped: BTreeMap<String, &'static str>,
    /// What goes wrong at the moment, by API.
    pub troubles: BTreeMap<&'static str, String>,
}

/// GET /api/v1/queues
pub async fn list(State(web): State<Web>, query: Asked<Filter>) -> Result<Json<QueueList>, Fault> {
    let selector = asked(query)?.selector()?;
    Ok(Json(QueueList { queues: queues(&web.board, &selector), targets: targets(&web.board) }))
}

/// Which of several queues of one name is meant.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// The owning account.
    pub(super) account: Option<String>,
    /// The region's code.
    pub(super) region: Option<String>,
}

/// GET /api/v1/queues/{name}: 404 when no such queue is watched, 409 when several are.
pub async fn one(
    State(web): State<Web>,
    Path(name): Path<String>,
    query: Asked<Place>,
) -> Result<Json<QueueView>, Fault> {
    let wanted = named(&web.board, &name, asked(query)?)?.id.clone();
    let found = queues_where(&web.board, |watched| watched.id == wanted).pop();
    found.map(Json).ok_or_else(|| nobody(&name))
}

/// The one watched queue of this name.
///
/// # Errors
/// 404 when no such queue is watched, 409 when several are.
pub(super) fn named(board: &Board, name: &str, place: Place) -> Result<Arc<Watched>, Fault> {
    let selector = Selector { account: place.account, region: place.region, ..Selector::default() };
    let queues = board.queues();
    let found = queues.values().filter(|watched| *watched.id.name == *name);
    let mut found: Vec<_> = found.filter(|watched| selector.matches(&watched.lock().queue)).collect();
    match (found.pop(), found.len()) {
        (Some(queue), 0) => Ok(queue.clone()),
        (Some(_), others) => Err(Fault::new(
            StatusCode::CONFLICT,
            format!("{} watched queues are named `{name}`", others + 1),
            "add ?region= or ?account= to say which",
        )),
        (None, _) => Err(nobody(name)),
    }
}

fn nobody(name: &str) -> Fault {
    Fault::new(
        StatusCode::NOT_FOUND,
        format!("no watched queue is named `{name}`"),
        "/api/v1/queues lists the watched queues, and those skipped with the reason",
    )
}

/// The watched queues that `selector` matches.
pub fn queues(board: &Board, selector: &Selector) -> Vec<QueueView> {
    queues_where(board, |watched| selector.matches(&watched.lock().queue))
}

fn queues_where(board: &Board, wanted: impl Fn(&Watched) -> bool) -> Vec<QueueView> {
    let mut alarms: HashMap<QueueId, Vec<AlarmView>> = HashMap::new();
    for (key, view) in super::alarms::views(board, clock::now()) {
        if let Subject::Queue(id) = key.subject {
            alarms.entry(id).or_default().push(view);
        }
    }
    let queues = board.queues();
    let wanted = queues.values().filter(|watched| wanted(watched));
    wanted.map(|watched| view(watched, alarms.remove(&watched.id).unwrap_or_default())).collect()
}

fn view(watched: &Watched, alarms: Vec<AlarmView>) -> QueueView {
    let readings = watched.lock();
    let queue = readings.queue.clone();
    let known = |row: &crate::domain::metric::Row| Some((row.name, readings.value(row.metric)?));
    QueueView {
        account: queue.id.account.to_string(),
        region: queue.id.region.to_string(),
        name: queue.id.name.to_string(),
        url: queue.url.to_string(),
        kind: queue.id.kind().as_str(),
        role: queue.role.as_str(),
        dead_letter_queue: queue.dead_letter_queue().map(|id| id.name.to_string()),
        sources: queue.sources.iter().map(|id| id.name.to_string()).collect(),
        tags: queue.tags.clone().unwrap_or_default(),
        metrics: CATALOGUE.iter().filter_map(known).collect(),
        last_readings: LastReadings {
            attributes: readings.attributes_at,
            settings: readings.settings_at,
            cloudwatch: readings.cloudwatch_at,
        },
        alarms,
    }
}

/// Every target.
pub fn targets(board: &Board) -> Vec<TargetView> {
    let watched = watched_per_target(board);
    let targets = board.targets().into_iter();
    targets.map(|(target, health)| target_view(&target, health, watched.get(&target).copied())).collect()
}

fn target_view(target: &Target, health: TargetHealth, watched: Option<usize>) -> TargetView {
    TargetView {
        region: target.region.to_string(),
        role_arn: target.role_arn.as_deref().map(str::to_owned),
        account: health.account.as_deref().map(str::to_owned),
        discovered_at: health.discovered_at,
        watched: watched.unwrap_or_default(),
        skipped: health.skipped.into_iter().map(|(name, skip)| (name.to_string(), skip.as_str())).collect(),
        troubles: health.troubles,
    }
}
