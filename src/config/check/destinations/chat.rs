//! `destinations.NAME.slack` and `destinations.NAME.teams`.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::config::check::{secrets, shape};
use crate::config::reader::{Cursor, Section};
use crate::config::secret::Secret;
use crate::config::{Slack, Teams, keys};
use crate::domain::outbox::{GroupBy, Grouping};
use crate::domain::rule::Severity;

/// How long the first alarm of a message waits for others when nothing is said.
const GROUP_WAIT: Duration = Duration::from_secs(5);
/// The longest it may be made to wait.
const LONGEST_WAIT: Duration = Duration::from_secs(300);
/// The most alarms in one message. Only the worst are named, so this bounds work and not the message.
const GROUP_MAX: usize = 1000;

/// Reads a Slack destination.
pub fn slack(section: &Section<'_>) -> Option<Slack> {
    let url = section.required("url").and_then(|cursor| url(&cursor, Service::Slack));
    let mention = section.section("mention", &keys::SLACK_MENTION);
    let named = |severity: &Severity| Some((*severity, name(&mention.get(severity.as_str())?)?));
    let mention: BTreeMap<_, _> = Severity::ALL.iter().filter_map(named).collect();
    let grouping = grouping(&section.section("group", &keys::SLACK_GROUP));
    let timeout = super::timeout(section);
    Some(Slack { url: url?, timeout, mention, grouping })
}

/// Reads a Teams destination.
pub fn teams(section: &Section<'_>) -> Option<Teams> {
    let url = section.required("url").and_then(|cursor| url(&cursor, Service::Teams));
    let grouping = grouping(&section.section("group", &keys::TEAMS_GROUP));
    let timeout = super::timeout(section);
    Some(Teams { url: url?, timeout, grouping })
}

fn grouping(section: &Section<'_>) -> Grouping {
    let words = [("alarm", GroupBy::Rule), ("all", GroupBy::Event), ("none", GroupBy::Nothing)];
    let by = section.get("by").and_then(|cursor| cursor.word(&words)).unwrap_or(GroupBy::Rule);
    let wait = section.duration("wait", GROUP_WAIT, &(Duration::ZERO..=LONGEST_WAIT));
    match by {
        GroupBy::Nothing => Grouping::NONE,
        by => Grouping { by, wait, max: GROUP_MAX },
    }
}

/// A mention in Slack's notation: `<!channel>`, `<@U012AB3CD>`, `<!subteam^S012AB3CD>`.
fn name(cursor: &Cursor<'_>) -> Option<String> {
    let text = cursor.line_of_text(200)?;
    let is_mention = |word: &str| {
        let inner = word.strip_prefix('<').and_then(|word| word.strip_suffix('>'));
        inner.is_some_and(|inner| {
            inner.len() > 1 && inner.starts_with(['!', '@']) && !inner.contains(['<', '>'])
        })
    };
    if !text.split(' ').all(is_mention) {
        let hint = "write `\"<!channel>\"`, `\"<!here>\"`, `\"<@U012AB3CD>\"` or `\"<!subteam^S012AB3CD>\"`";
        cursor.refuse_with("is no mention in Slack's notation", hint);
        return None;
    }
    Some(text.to_owned())
}

/// Whose address is wanted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Service {
    Slack,
    Teams,
}

impl Service {
    /// Whose address this host is, if it is known.
    fn of(host: &str) -> Option<Self> {
        let ends = |suffixes: &[&str]| suffixes.iter().any(|suffix| host.ends_with(suffix));
        if ends(&["hooks.slack.com", "hooks.slack-gov.com"]) {
            Some(Self::Slack)
        } else if ends(&[
            ".webhook.office.com",
            ".logic.azure.com",
            ".powerplatform.com",
            ".powerautomate.com",
        ]) {
            Some(Self::Teams)
        } else {
            None
        }
    }

    fn example(self) -> &'static str {
        match self {
            Self::Slack => "it looks like `https://hooks.slack.com/services/...`",
            Self::Teams => "it looks like `https://....powerplatform.com/...`; the workflow shows it",
        }
    }
}

fn url(cursor: &Cursor<'_>, wanted: Service) -> Option<Secret> {
    let url = secrets::secret(cursor)?;
    let Some(address) = shape::address(url.expose()) else {
        cursor.refuse_with("is no http or https address", wanted.example());
        return None;
    };
    match Service::of(address.host_str().unwrap_or_default()) {
        Some(Service::Slack) if wanted == Service::Teams => {
            cursor.refuse_with("is an address of Slack's", "write `slack:` instead of `teams:`");
            None
        }
        Some(Service::Teams) if wanted == Service::Slack => {
            cursor.refuse_with("is an address of Microsoft's", "write `teams:` instead of `slack:`");
            None
        }
        _ => Some(url),
    }
}
