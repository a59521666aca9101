//! Which queues a rule judges, as matchers on labels: those of the metrics themselves, and those of `sqs_queue_info`.

use super::Cannot;
use super::promql::{self, Expr};
use crate::config::Config;
use crate::domain::metric::Scope;
use crate::domain::queue::{QueueKind, Role};
use crate::domain::rule::{Glob, RoleSelector, Selector};
use crate::web::exposition::label_names;

/// What every series of a queue is told apart by.
pub const QUEUE: &str = "account, region, queue";

/// The queues of one rule.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Queues {
    /// Matchers that every series of a queue understands.
    own: Vec<String>,
    /// Matchers that only `sqs_queue_info` understands.
    info: Vec<String>,
}

impl Queues {
    /// The queues that `selector` means.
    ///
    /// # Errors
    /// A tag that is no label.
    pub fn of(selector: &Selector, config: &Config) -> Result<Self, Cannot> {
        let mut queues = Self::default();
        queues.own.extend(names(&selector.names));
        queues.own.extend(selector.kind.map(kind));
        let exact = |name: &str, value: &str| format!("{name}={}", promql::quoted(value));
        queues.own.extend(selector.region.as_deref().map(|region| exact("region", region)));
        queues.own.extend(selector.account.as_deref().map(|account| exact("account", account)));
        queues.info.extend(selector.role.map(role));
        let tag_labels = &config.discovery.tag_labels;
        let labels = label_names("tag_", tag_labels.iter().map(String::as_str), &[]);
        for (tag, value) in &selector.tags {
            match tag_labels.iter().position(|label| label == tag) {
                Some(position) => queues.info.push(exact(&labels[position], value)),
                // Every queue that is watched has it.
                None if config.discovery.tags.get(tag) == Some(value) => {}
                None => return Err(Cannot::Tag(tag.clone())),
            }
        }
        Ok(queues)
    }

    /// Those of them that can have a metric of this scope.
    pub fn having(mut self, scope: Scope) -> Self {
        match scope {
            Scope::All => {}
            Scope::Fifo => add(&mut self.own, kind(QueueKind::Fifo)),
            Scope::Fair => add(&mut self.own, kind(QueueKind::Standard)),
            Scope::DeadLetter => add(&mut self.info, role(RoleSelector::DeadLetter)),
        }
        self
    }

    /// The series of `family` of these queues, and of others unless [`Queues::joined`] takes them out.
    pub fn series(&self, family: &str, state: Option<&str>) -> String {
        let state = state.map(|state| format!("state={}", promql::quoted(state)));
        selector(family, state.iter().chain(&self.own))
    }

    /// The queues themselves: 1 for each that is watched.
    pub fn all(&self) -> Expr {
        Expr::closed(format!("max by ({QUEUE}) ({})", self.info()))
    }

    /// `of` for these queues only.
    pub fn joined(&self, of: Expr) -> Expr {
        if self.info.is_empty() {
            return of;
        }
        let info = Expr::closed(selector("sqs_queue_info", &self.info));
        Expr::lines(&format!("and on ({QUEUE})"), &[of, info])
    }

    fn info(&self) -> String {
        selector("sqs_queue_info", self.own.iter().chain(&self.info))
    }
}

/// `family{matchers}`
pub fn selector<'a>(family: &str, matchers: impl IntoIterator<Item = &'a String>) -> String {
    let matchers: Vec<&str> = matchers.into_iter().map(String::as_str).collect();
    if matchers.is_empty() { family.to_owned() } else { format!("{family}{{{}}}", matchers.join(", ")) }
}

fn add(matchers: &mut Vec<String>, matcher: String) {
    if !matchers.contains(&matcher) {
        matchers.push(matcher);
    }
}

fn names(globs: &[Glob]) -> Option<String> {
    let texts: Vec<String> = globs.iter().map(Glob::to_string).collect();
    match texts.as_slice() {
        [] => None,
        [one] if !one.contains(['*', '?']) => Some(format!("queue={}", promql::quoted(one))),
        several => {
            let patterns: Vec<String> = several.iter().map(|glob| pattern(glob)).collect();
            Some(format!("queue=~{}", promql::quoted(&patterns.join("|"))))
        }
    }
}

fn pattern(glob: &str) -> String {
    let part = |c: char| match c {
        '*' => ".*".to_owned(),
        '?' => ".".to_owned(),
        c => promql::escaped(c.encode_utf8(&mut [0; 4])),
    };
    glob.chars().map(part).collect()
}

/// SQS tells FIFO queues by the end of their names.
fn kind(kind: QueueKind) -> String {
    let operator = if kind == QueueKind::Fifo { "=~" } else { "!~" };
    format!("queue{operator}{}", promql::quoted(r".*\.fifo"))
}

fn role(selector: RoleSelector) -> String {
    let all = [Role::Plain, Role::Source, Role::DeadLetter, Role::Both];
    let roles: Vec<&str> = all.into_iter().filter(|role| selector.matches(*role)).map(Role::as_str).collect();
    let operator = if roles.len() == 1 { "=" } else { "=~" };
    format!("role{operator}{}", promql::quoted(&roles.join("|")))
}
