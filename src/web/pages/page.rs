//! What every page is made of: blocks one below the other. A page that stays open is told of the blocks that changed, and of
//! a list only the items that did, so that nothing moves that has no reason to.
//!
//! A rendering must be the same as long as what it shows is: relative times ("3 min ago") are left to the script in the browser
//! (see `parts::ago`), or every page would change at every look.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use axum::http::StatusCode;
use maud::{Markup, PreEscaped, html};
use serde::Serialize;

/// The sections of the navigation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tab {
    /// All queues; also the pages of single queues.
    Queues,
    /// Alarms and silences.
    Alarms,
    /// What was sent to whom.
    Notifications,
    /// The daemon itself.
    System,
}

impl Tab {
    /// All, in order, with their paths and names.
    pub const ALL: [(Self, &'static str, &'static str); 4] = [
        (Self::Queues, "/", "Queues"),
        (Self::Alarms, "/alarms", "Alarms"),
        (Self::Notifications, "/notifications", "Notifications"),
        (Self::System, "/system", "System"),
    ];
}

/// One page as it is now.
#[derive(Clone, Debug)]
pub struct Page {
    /// 200, or 404 for something that is not there.
    pub status: StatusCode,
    /// Where it belongs.
    pub tab: Tab,
    /// Its name, for the window and its history.
    pub title: String,
    /// What it shows.
    pub blocks: Vec<Block>,
    /// Whether it is kept live: not a form that somebody fills in.
    pub live: bool,
}

impl Page {
    /// A page of something that is there.
    pub fn new(tab: Tab, title: impl Into<String>, blocks: Vec<Block>) -> Self {
        Self { status: StatusCode::OK, tab, title: title.into(), blocks, live: true }
    }

    /// A form that somebody fills in: nothing on it changes by itself.
    pub fn form(tab: Tab, title: impl Into<String>, status: StatusCode, content: Markup) -> Self {
        let blocks = vec![Block::whole("form", content)];
        Self { status, live: false, ..Self::new(tab, title, blocks) }
    }

    /// Tells this rendering from others, over all processes of one build.
    pub fn version(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        (self.status.as_u16(), &self.title).hash(&mut hasher);
        self.blocks.iter().for_each(|block| (block.id, &block.html).hash(&mut hasher));
        hasher.finish()
    }

    /// All blocks.
    pub fn content(&self) -> Markup {
        html! { @for block in &self.blocks { div.block id={ "b-" (block.id) } { (PreEscaped(&block.html)) } } }
    }

    /// What somebody who sees `before` needs to be told; of the whole page without it.
    pub fn change_since(&self, before: Option<&Self>) -> Change<'_> {
        let Some(before) = before else {
            let all = self.blocks.iter().map(|block| (block.id, &*block.html)).collect();
            return Change { blocks: all, title: Some(&self.title), ..Change::default() };
        };
        let same_shape = before.status == self.status
            && before.blocks.len() == self.blocks.len()
            && before.blocks.iter().zip(&self.blocks).all(|(a, b)| a.id == b.id);
        if !same_shape {
            return Change { anew: true, ..Change::default() };
        }
        let title = (before.title != self.title).then_some(&*self.title);
        let mut change = Change { title, ..Change::default() };
        for (old, new) in before.blocks.iter().zip(&self.blocks).filter(|(old, new)| old.html != new.html) {
            match new.items_changed(old) {
                Some(items) => drop(change.lists.insert(new.id, items)),
                None => drop(change.blocks.insert(new.id, &new.html)),
            }
        }
        change
    }
}

/// What the script is told, as JSON.
#[derive(Debug, Default, Serialize)]
pub struct Change<'a> {
    /// The page is another one now: it has to be fetched.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    anew: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'a str>,
    /// Blocks as they are now, by id.
    #[serde(skip_serializing_if = "HashMap::is_empty")]
    blocks: HashMap<&'static str, &'a str>,
    /// Lists whose items changed, by block.
    #[serde(skip_serializing_if = "HashMap::is_empty")]
    lists: HashMap<&'static str, Items<'a>>,
}

/// What changed in a list.
#[derive(Debug, Serialize)]
struct Items<'a> {
    /// The keys from first to last.
    #[serde(skip_serializing_if = "Option::is_none")]
    order: Option<Vec<&'a str>>,
    /// Items that are new or changed, by key.
    items: HashMap<&'a str, &'a str>,
}

/// A part of a page that is replaced as a whole, or a list whose items are.
#[derive(Clone, Debug)]
pub struct Block {
    id: &'static str,
    html: String,
    list: Option<List>,
}

#[derive(Clone, Debug)]
struct List {
    /// The block without any item.
    frame: String,
    /// The items by key, in order.
    items: Vec<(String, String)>,
}

impl Block {
    /// A block that changes as a whole. One without content takes no room.
    pub fn whole(id: &'static str, content: Markup) -> Self {
        Self { id, html: content.into_string(), list: None }
    }

    /// A list. `frame` is what is around the items: it is given all of them and puts them into an element with the attribute
    /// `data-items`. Each item is one element whose `data-key` is its key, unique in the list.
    pub fn list(id: &'static str, items: Vec<(String, Markup)>, frame: impl Fn(Markup) -> Markup) -> Self {
        let items: Vec<(String, String)> =
            items.into_iter().map(|(key, item)| (key, item.into_string())).collect();
        let all: String = items.iter().map(|(_, item)| item.as_str()).collect();
        let html = frame(PreEscaped(all)).into_string();
        let list = List { frame: frame(PreEscaped(String::new())).into_string(), items };
        Self { id, html, list: Some(list) }
    }

    /// `None` when more than items changed.
    fn items_changed<'a>(&'a self, before: &Self) -> Option<Items<'a>> {
        let (old, new) = (before.list.as_ref()?, self.list.as_ref()?);
        if old.frame != new.frame || old.items.is_empty() || new.items.is_empty() {
            return None;
        }
        let known: HashMap<&str, &str> = pairs(&old.items).collect();
        let same_order = pairs(&old.items).map(|(key, _)| key).eq(pairs(&new.items).map(|(key, _)| key));
        Some(Items {
            order: (!same_order).then(|| pairs(&new.items).map(|(key, _)| key).collect()),
            items: pairs(&new.items).filter(|(key, item)| known.get(key) != Some(item)).collect(),
        })
    }
}

fn pairs(items: &[(String, String)]) -> impl Iterator<Item = (&str, &str)> {
    items.iter().map(|(key, item)| (key.as_str(), item.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(items: &[(&str, &str)], frame: &str) -> Page {
        let item = |(key, text): &(&str, &str)| ((*key).to_owned(), html! { li data-key=(key) { (text) } });
        let items = items.iter().map(item).collect();
        let list = Block::list("queues", items, |items| html! { h2 { (frame) } ul data-items { (items) } });
        Page::new(Tab::Queues, "Queues", vec![Block::whole("totals", html! { b { "1" } }), list])
    }

    fn told(before: &Page, now: &Page) -> serde_json::Value {
        serde_json::to_value(now.change_since(Some(before))).unwrap()
    }

    #[test]
    fn only_what_changed_is_told() {
        let before = list(&[("a", "1"), ("b", "2")], "2 queues");
        assert_eq!(told(&before, &before.clone()), serde_json::json!({}));
        assert_eq!(
            told(&before, &list(&[("a", "1"), ("b", "3")], "2 queues")),
            serde_json::json!({"lists": {"queues": {"items": {"b": "<li data-key=\"b\">3</li>"}}}})
        );
        assert_eq!(
            told(&before, &list(&[("b", "2"), ("c", "9"), ("a", "1")], "2 queues")),
            serde_json::json!({"lists": {"queues": {
                "order": ["b", "c", "a"], "items": {"c": "<li data-key=\"c\">9</li>"}
            }}})
        );
        let framed = list(&[("a", "1"), ("b", "2")], "other");
        assert_eq!(told(&before, &framed)["blocks"]["queues"], framed.blocks[1].html);
    }

    #[test]
    fn a_page_of_another_shape_is_fetched_anew_and_a_first_look_is_told_all() {
        let page = list(&[("a", "1")], "1 queue");
        let gone = Page { status: StatusCode::NOT_FOUND, ..page.clone() };
        assert_eq!(told(&page, &gone), serde_json::json!({"anew": true}));
        let mut shorter = page.clone();
        shorter.blocks.pop();
        assert_eq!(told(&page, &shorter), serde_json::json!({"anew": true}));
        let all = serde_json::to_value(page.change_since(None)).unwrap();
        assert_eq!(all["title"], "Queues");
        assert_eq!(all["blocks"].as_object().unwrap().len(), 2);
    }

    #[test]
    fn the_version_is_of_the_content() {
        let page = list(&[("a", "1")], "1 queue");
        assert_eq!(page.version(), page.clone().version());
        assert_ne!(page.version(), list(&[("a", "2")], "1 queue").version());
    }
}
