//! Flapping: told once when it begins, and its end as well.

use super::*;
use crate::domain::flapping::Rate;

fn flapping() -> Life {
    let rate = Rate { changes: 3, within: Duration::from_secs(600) };
    Life::new(Rule { flapping: Some(rate), repeat: None, ..rule(&["a"]) })
}

#[test]
fn the_change_that_crosses_the_rate_is_told_as_flapping_and_the_end_when_it_is_quiet() {
    for (script, expected) in [
        // The fourth change within ten minutes. It ends quiet in OK, or in ALARM.
        ("AOAOAO..........A", "FRFL-----------RF"),
        ("AOAOA..........O", "FRFL----------PR"),
        // It may end in INSUFFICIENT_DATA, which nobody is told: the page stays open until OK.
        ("AOAOAI...........O", "FRFL-------------R"),
        ("AOAOAI...........AO", "FRFL-------------FR"),
        // The rate is not crossed.
        ("AO.........AO.........AO", "FR---------FR---------FR"),
        // What vanishes while it flaps is closed.
        ("AOAOx", "FRFLC"),
    ] {
        assert_eq!(flapping().play(script), expected, "{script}");
    }
}

#[test]
fn held_flapping_is_told_after_the_hold_while_it_lasts() {
    for (script, expected) in [
        ("(AOAO).A..........O", "-----L-----------PR"),
        // Over before the hold is: in OK nobody ever knows, in ALARM they hear that it fires.
        ("(AOAO............)..", "--------------------"),
        ("(AOAOA............)", "------------------F"),
        ("(AOAOAI...........)", "-------------------"),
        // Told before the hold: the end is an end.
        ("AOAO(...........", "FRFL---------R--"),
        ("AOAOA(...........).O", "FRFL---------------R"),
        ("A(OAO...........", "F-R-------------"),
    ] {
        let expected = format!("{expected:-<width$}", width = script.len());
        assert_eq!(flapping().play(script), expected, "{script}");
    }
}

#[test]
fn the_texts_say_what_it_is() {
    let mut life = flapping();
    life.play("AOA");
    life.rule.notify = names(&["b"]);
    let debt = life.find(State::Ok, at(3)).unwrap();
    assert_eq!(debt.destinations, names(&["a", "b"]), "those who think that it fires, and the rule's");
    let notification = &debt.notification;
    assert_eq!(notification.reason, "Flapping: more than 3 changes within 10m, now OK. Now OK.");
    assert_eq!((notification.from, notification.to), (State::Alarm, State::Alarm), "it is no end");
    let debt = life.pass(at(13)).unwrap();
    assert_eq!(debt.destinations, names(&["a", "b"]));
    assert_eq!((debt.notification.event, debt.notification.to), (Event::Resolved, State::Ok));
    assert_eq!(debt.notification.reason, "Flapping is over: OK since 1970-01-01T00:03:00Z. Now OK.");
}

#[test]
fn nothing_is_repeated_while_it_flaps() {
    let mut life = flapping();
    life.rule.repeat = Some(Duration::from_secs(120));
    assert_eq!(life.play("AOAOA....O....A"), "FRFL-----------");
}

#[test]
fn a_rule_that_does_not_look_for_flapping_any_more_ends_it() {
    let mut life = flapping();
    life.play("AOAOA");
    life.rule.flapping = None;
    let debt = life.pass(at(5)).unwrap();
    assert_eq!(debt.notification.event, Event::Repeated);
    assert_eq!(life.find(State::Ok, at(6)).unwrap().notification.event, Event::Resolved);
}
