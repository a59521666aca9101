//! `routes`: who is told of an alarm that has no `notify` of its own, by its name, severity and labels.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::alarms::{LONGEST_NAME, SEVERITIES, labels};
use super::destinations;
use crate::config::keys;
use crate::config::reader::{Cursor, Section};
use crate::domain::rule::{Glob, Rule, Severity};

/// All routes, and who is told when none of them fits.
pub struct Routing {
    routes: Vec<Route>,
    notify: Vec<Arc<str>>,
}

/// One route: all that is set must match; what is empty matches every alarm.
struct Route {
    alarms: Vec<Glob>,
    severities: BTreeSet<Severity>,
    labels: BTreeMap<String, String>,
    notify: Vec<Arc<str>>,
    /// Whether later routes are looked at as well.
    goes_on: bool,
}

impl Routing {
    /// Reads `routes` and the top-level `notify`; `destinations` are the names of all.
    pub fn read(top: &Section<'_>, names: &[Arc<str>]) -> Self {
        let notify = destinations::notify(top, names).unwrap_or_else(|| names.to_vec());
        let mut routes: Vec<(String, Route)> = Vec::new();
        for item in top.get("routes").map(|list| list.items()).unwrap_or_default() {
            let faults = item.report.count();
            let route = route(&item, names);
            // Of a route with faults it is not known what it takes.
            if item.report.count() > faults {
                continue;
            }
            if let Some((path, _)) = routes.iter().find(|(_, earlier)| earlier.leaves_nothing_to(&route)) {
                item.refuse_with(
                    format!("can never match: `{path}` takes every alarm that it fits"),
                    format!("put it before `{path}`, or give that one `continue: true`"),
                );
            }
            routes.push((item.path, route));
        }
        Self { routes: routes.into_iter().map(|(_, route)| route).collect(), notify }
    }

    /// Who is told of the alarms of `rule` when it does not say: those of the first route that fits, and of those after it as long as
    /// routes say to go on.
    pub fn of(&self, rule: &Rule) -> Vec<Arc<str>> {
        let mut told: Option<Vec<Arc<str>>> = None;
        for route in self.routes.iter().filter(|route| route.fits(rule)) {
            let told = told.get_or_insert_default();
            let new = route.notify.iter().filter(|name| !told.contains(name)).cloned();
            let new: Vec<Arc<str>> = new.collect();
            told.extend(new);
            if !route.goes_on {
                break;
            }
        }
        told.unwrap_or_else(|| self.notify.clone())
    }
}

impl Route {
    fn fits(&self, rule: &Rule) -> bool {
        (self.alarms.is_empty() || self.alarms.iter().any(|glob| glob.matches(&rule.name)))
            && (self.severities.is_empty() || self.severities.contains(&rule.severity))
            && self.labels.iter().all(|(name, value)| rule.labels.get(name) == Some(value))
    }

    /// Whether every alarm that `later` fits is taken by this one.
    fn leaves_nothing_to(&self, later: &Self) -> bool {
        // `*` takes whatever `*` and `?` of another glob stand for; what `?` takes of them is not looked into.
        let covers_glob = |own: &Glob, glob: &str| {
            own.to_string() == glob || (!own.to_string().contains('?') && own.matches(glob))
        };
        let covers = |glob: &Glob| self.alarms.iter().any(|own| covers_glob(own, &glob.to_string()));
        let alarms = self.alarms.is_empty() || (!later.alarms.is_empty() && later.alarms.iter().all(covers));
        let severities = self.severities.is_empty()
            || (!later.severities.is_empty() && later.severities.is_subset(&self.severities));
        let labels = self.labels.iter().all(|(name, value)| later.labels.get(name) == Some(value));
        !self.goes_on && alarms && severities && labels
    }
}

fn route(item: &Cursor<'_>, names: &[Arc<str>]) -> Route {
    let section = item.section(&keys::ROUTE);
    for key in ["alarms", "severity", "labels"] {
        if let Some(cursor) = section.get(key).filter(|cursor| cursor.length() == Some(0)) {
            cursor.refuse_with("is empty", "leave it out to match every alarm");
        }
    }
    section.required("notify");
    Route {
        alarms: section.distinct("alarms", |glob| glob.line_of_text(LONGEST_NAME).map(Glob::new)),
        severities: section.distinct("severity", |word| word.word(&SEVERITIES)).into_iter().collect(),
        labels: section.get("labels").map(|cursor| labels(&cursor)).unwrap_or_default(),
        notify: destinations::notify(&section, names).unwrap_or_default(),
        goes_on: section.get("continue").and_then(|cursor| cursor.truth()).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use crate::config::parse;

    /// Who is told of the alarms of a file with these routes, by the alarms' names.
    fn told(routes: &str, alarms: &[&str]) -> Vec<String> {
        let alarm = |rest: &&str| {
            format!("  - {{ metric: messages_visible, comparison: '>', threshold: 1, {rest} }}\n")
        };
        let destination = |name: &str| format!("  {name}: {{ webhook: {{ url: 'http://{name}' }} }}\n");
        let text = format!(
            "destinations:\n{}notify: all\nroutes:\n{routes}\nalarms:\n{}",
            ["pager", "team", "all"].map(destination).concat(),
            alarms.iter().map(alarm).collect::<String>(),
        );
        let config = parse(&text, "test.yaml", &|_| None).unwrap_or_else(|faults| panic!("{faults}\n{text}"));
        config.rules.iter().map(|rule| format!("{} {}", rule.name, rule.notify.join("+"))).collect()
    }

    #[test]
    fn the_first_route_that_fits_says_who_is_told_unless_the_alarm_does() {
        let routes = "
  - { severity: [critical, error], notify: pager, continue: true }
  - { labels: { team: red, tier: one }, notify: [team, pager] }
  - { alarms: ['test-*', 'lab'], notify: [] }";
        let alarms = [
            "name: own, severity: critical, notify: team",
            "name: bad, severity: critical",
            "name: red, labels: { team: red, tier: one, more: x }",
            "name: bad-red, severity: error, labels: { team: red, tier: one }",
            "name: half-red, labels: { team: red }",
            "name: test-1",
            "name: test-2, severity: critical",
            "name: my-test-1",
        ];
        let expected = [
            "own team",
            "bad pager",
            "red team+pager",
            "bad-red pager+team",
            "half-red all",
            "test-1 ",
            "test-2 pager",
            "my-test-1 all",
        ];
        assert_eq!(told(routes, &alarms), expected);
    }

    #[test]
    fn built_in_alarms_are_routed_as_well() {
        let text = "
destinations: { pager: { webhook: { url: 'http://p' } }, all: { webhook: { url: 'http://a' } } }
routes: [{ severity: critical, notify: pager }]
notify: all";
        for rule in parse(text, "test.yaml", &|_| None).unwrap().rules {
            let expected = if rule.severity.as_str() == "critical" { "pager" } else { "all" };
            assert_eq!(rule.notify.join("+"), expected, "{}", rule.name);
        }
    }
}
