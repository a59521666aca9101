//! Silences outlive the process, whatever they are made of.

use super::*;
use crate::domain::rule::Glob;
use crate::domain::silence::{Matchers, Silence};

fn silence(id: &str, starts: i64) -> Silence {
    Silence {
        id: id.into(),
        matchers: Matchers::default(),
        reason: "deploying".into(),
        author: "ana".into(),
        starts: at(starts),
        ends: at(starts + 60),
    }
}

#[test]
fn a_silence_is_there_after_a_crash_as_it_was_last_and_what_is_forgotten_is_not() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("state.redb");
    let ended = Silence { ends: at(7), ..silence("a", 5) };
    {
        let store = Store::open(&path).unwrap();
        for one in [silence("a", 5), silence("b", 3), silence("c", 4)] {
            store.record_silence(&one, &[]).unwrap();
        }
        store.record_silence(&ended, &["c".into(), "never".into()]).unwrap();
    }
    assert_eq!(Store::open(&path).unwrap().silences().unwrap(), [silence("b", 3), ended]);
}

#[test]
fn a_file_without_silences_has_none() {
    assert_eq!(Store::memory().silences().unwrap(), []);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn silences_of_any_text_come_back(
        texts in prop::collection::vec(text(), 5), label in text(), starts: i64, ends: i64,
    ) {
        let silence = Silence {
            matchers: Matchers {
                alarms: vec![Glob::new(&texts[0]), Glob::new("*")],
                queues: vec![Glob::new(&texts[1])],
                labels: [(label, texts[2].clone())].into(),
            },
            reason: texts[3].clone(),
            author: texts[4].clone(),
            starts: Timestamp::from_millis(starts),
            ends: Timestamp::from_millis(ends),
            ..silence("a", 0)
        };
        let store = Store::memory();
        store.record_silence(&silence, &[]).unwrap();
        prop_assert_eq!(store.silences().unwrap(), [silence]);
    }
}
