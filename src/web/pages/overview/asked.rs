//! What the address of the overview asks for: which queues, in which order, which part of them; and the links that ask otherwise.

use serde::Deserialize;

use super::row::Row;
use crate::domain::queue::QueueKind;
use crate::web::pages::address::with_query;

/// The parameters; empty is "any" and "as usual".
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Asked {
    /// A part of the name.
    pub q: String,
    /// `source`, `dead_letter`, `plain`.
    pub role: String,
    /// `standard`, `fifo`.
    pub kind: String,
    /// `firing`, `ok`, `no_data`, `old`.
    pub state: String,
    /// A region's code.
    pub region: String,
    /// An account.
    pub account: String,
    /// `key=value`, or `key` for any value.
    pub tag: String,
    /// One of [`Sort`]'s words.
    pub sort: String,
    /// `asc` or `desc`.
    pub order: String,
    /// From 1.
    pub page: String,
}

/// The order of the queues.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    /// What fires, then what is nearly lost, then what waits.
    #[default]
    Worst,
    /// By name.
    Name,
    /// By visible messages.
    Waiting,
    /// By messages in flight.
    InFlight,
    /// By the age of the oldest message.
    Oldest,
    /// By messages sent a minute.
    In,
    /// By messages deleted a minute.
    Out,
    /// By what the dead-letter queue holds.
    DeadLetters,
    /// By the time to drain.
    Drain,
}

impl Sort {
    const WORDS: [(Self, &'static str); 9] = [
        (Self::Worst, "worst"),
        (Self::Name, "name"),
        (Self::Waiting, "waiting"),
        (Self::InFlight, "in_flight"),
        (Self::Oldest, "oldest"),
        (Self::In, "in"),
        (Self::Out, "out"),
        (Self::DeadLetters, "dead_letters"),
        (Self::Drain, "drain"),
    ];

    /// As the address says it.
    pub fn as_str(self) -> &'static str {
        Self::WORDS.iter().find(|(sort, _)| *sort == self).map_or("", |(_, word)| word)
    }

    fn of(word: &str) -> Self {
        Self::WORDS.iter().find(|(_, known)| *known == word).map(|(sort, _)| *sort).unwrap_or_default()
    }
}

impl Asked {
    /// The order, and whether the least comes first.
    pub fn sort(&self) -> (Sort, bool) {
        let sort = Sort::of(&self.sort);
        let ascending = if sort == Sort::Name { self.order != "desc" } else { self.order == "asc" };
        (sort, ascending)
    }

    /// The page, from 0.
    pub fn page(&self) -> usize {
        self.page.parse::<usize>().map_or(0, |page| page.saturating_sub(1))
    }

    /// Whether only some queues are asked for.
    pub fn is_narrow(&self) -> bool {
        let any = Self {
            sort: self.sort.clone(),
            order: self.order.clone(),
            page: self.page.clone(),
            ..Self::default()
        };
        *self != any
    }

    /// Whether `row` is asked for.
    pub fn fits(&self, row: &Row) -> bool {
        let queue = &row.queue;
        let kind = match queue.id.kind() {
            QueueKind::Fifo => "fifo",
            QueueKind::Standard => "standard",
        };
        fits_name(&queue.id.name, &self.q)
            && (self.kind.is_empty() || self.kind == kind)
            && (self.region.is_empty() || *self.region == *queue.id.region)
            && (self.account.is_empty() || *self.account == *queue.id.account)
            && self.fits_role(row)
            && self.fits_state(row)
            && self.fits_tag(row)
    }

    fn fits_role(&self, row: &Row) -> bool {
        match self.role.as_str() {
            "" => true,
            "source" => row.queue.role.is_source(),
            "dead_letter" => row.queue.role.is_dead_letter(),
            role => row.queue.role.as_str() == role,
        }
    }

    fn fits_state(&self, row: &Row) -> bool {
        match self.state.as_str() {
            "" => true,
            "firing" => !row.firing.is_empty(),
            "ok" => row.firing.is_empty() && row.judged == Some(true),
            "no_data" => row.firing.is_empty() && row.judged != Some(true),
            "old" => row.stale_since.is_some() || !row.known,
            _ => false,
        }
    }

    fn fits_tag(&self, row: &Row) -> bool {
        match self.tag.split_once('=') {
            _ if self.tag.is_empty() => true,
            Some((key, value)) => row.queue.tag(key).is_some_and(|known| known == value),
            None => row.queue.tag(&self.tag).is_some(),
        }
    }

    /// The address that asks for this.
    pub fn address(&self) -> String {
        with_query("/", self.pairs())
    }

    /// Every parameter; a first page needs no number.
    fn pairs(&self) -> [(&'static str, &str); 10] {
        let page = if self.page() == 0 { "" } else { &self.page };
        [
            ("q", &self.q),
            ("role", &self.role),
            ("kind", &self.kind),
            ("state", &self.state),
            ("region", &self.region),
            ("account", &self.account),
            ("tag", &self.tag),
            ("sort", &self.sort),
            ("order", &self.order),
            ("page", page),
        ]
    }

    /// The same in another order; asked for twice, the other way round.
    pub fn sorted_by(&self, sort: Sort) -> Self {
        let (now, ascending) = self.sort();
        let turned = if ascending { "desc" } else { "asc" };
        let order = if now == sort && sort != Sort::Worst { turned } else { "" };
        let sort = if sort == Sort::Worst { "" } else { sort.as_str() };
        Self { sort: sort.to_owned(), order: order.to_owned(), page: String::new(), ..self.clone() }
    }

    /// Another page of the same, from 0.
    pub fn at_page(&self, page: usize) -> Self {
        Self { page: (page + 1).to_string(), ..self.clone() }
    }
}

/// Whether `name` contains what was typed.
pub fn fits_name(name: &str, typed: &str) -> bool {
    name.to_lowercase().contains(&typed.trim().to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_say_what_differs_from_the_usual() {
        assert_eq!(Asked::default().address(), "/");
        let asked = Asked { q: "a b".into(), tag: "team=x&y".into(), page: "3".into(), ..Asked::default() };
        assert_eq!(asked.address(), "/?q=a+b&tag=team%3Dx%26y&page=3");
        assert_eq!(asked.at_page(0).address(), "/?q=a+b&tag=team%3Dx%26y");
        assert!(asked.is_narrow() && !Asked { sort: "name".into(), ..Asked::default() }.is_narrow());
    }

    #[test]
    fn a_column_asked_for_twice_is_turned_round() {
        let once = Asked::default().sorted_by(Sort::Waiting);
        assert_eq!((once.address().as_str(), once.sort()), ("/?sort=waiting", (Sort::Waiting, false)));
        let twice = once.sorted_by(Sort::Waiting);
        assert_eq!(
            (twice.address().as_str(), twice.sort()),
            ("/?sort=waiting&order=asc", (Sort::Waiting, true))
        );
        assert_eq!(twice.sorted_by(Sort::Waiting).sort(), (Sort::Waiting, false));
        assert_eq!(Asked::default().sorted_by(Sort::Name).sort(), (Sort::Name, true));
        assert_eq!(twice.sorted_by(Sort::Worst).address(), "/");
    }

    #[test]
    fn nonsense_is_as_usual() {
        let asked =
            Asked { page: "-1".into(), sort: "colour".into(), order: "up".into(), ..Asked::default() };
        assert_eq!((asked.page(), asked.sort()), (0, (Sort::Worst, false)));
        assert_eq!(Asked { page: "0".into(), ..Asked::default() }.page(), 0);
    }
}
