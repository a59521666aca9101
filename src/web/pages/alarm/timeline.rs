//! The states of one alarm over time, as a strip: each state has its own height and pattern beside its colour, so that it is
//! told apart without colours; what is not known is empty.

use std::time::Duration;

use maud::{Markup, html};

use crate::domain::alarm::{Alarm, State, Transition};
use crate::domain::time::Timestamp;
use crate::web::pages::humane::length;
use crate::web::pages::parts;

/// A part of the time. `state` is `None` while nobody knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    state: Option<State>,
    from: Timestamp,
    until: Timestamp,
}

/// The strip is this many units wide and high.
const WIDTH: f64 = 1000.0;
const HEIGHT: u32 = 24;
/// A span that is shorter than this is drawn so wide all the same: it happened.
const LEAST: f64 = 1.5;

/// What the alarm was from `from` until `now`: by its changes (newest first) and its present state.
pub fn spans(changes: &[Transition], alarm: &Alarm, from: Timestamp, now: Timestamp) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    let mut reached = from;
    let mut add = |state: State, since: Timestamp, until: Timestamp| {
        // Instants of a clock that was set may overlap: what came later counts on from there.
        let (since, until) = (since.max(reached).min(now), until.max(reached).min(now));
        if since > reached {
            spans.push(Span { state: None, from: reached, until: since });
        }
        if until > since {
            match spans.last_mut().filter(|last| last.state == Some(state)) {
                Some(last) => last.until = until,
                None => spans.push(Span { state: Some(state), from: since, until }),
            }
        }
        reached = until;
    };
    for change in changes.iter().rev() {
        add(change.from, change.since, change.at);
    }
    add(alarm.state, alarm.since, now);
    spans
}

/// The strip over `over` until `now`, with a sentence for those who do not see it.
pub fn strip(spans: &[Span], now: Timestamp, over: Duration) -> Markup {
    let from = now - over;
    let place = |at: Timestamp| at.since(from).as_secs_f64() / over.as_secs_f64() * WIDTH;
    html! {
        svg.strip viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) preserveAspectRatio="none" role="img" aria-label=(summary(spans, over)) {
            line x1="0" x2=(WIDTH) y1=(HEIGHT) y2=(HEIGHT) {}
            @for span in spans { @if let Some(state) = span.state { (block(state, span, [place(span.from), place(span.until)], now)) } }
        }
        div.ticks aria-hidden="true" {
            @for quarter in 0..4 { span { (parts::clock(from + over / 4 * quarter)) } }
            span { "now" }
        }
        ul.legend aria-hidden="true" {
            @for (state, words) in [(State::Alarm, "ALARM"), (State::InsufficientData, "no data"), (State::Ok, "OK")] {
                li { svg viewBox="0 0 14 24" { (shape(state, 0.0, 14.0)) } (words) }
            }
        }
    }
}

fn block(state: State, span: &Span, [from, until]: [f64; 2], now: Timestamp) -> Markup {
    let lasted = length(span.until.since(span.from));
    let end = if span.until == now { "now".to_owned() } else { span.until.to_string() };
    html! {
        g { title { (state) " for " (lasted) ", " (span.from) " to " (end) } (shape(state, from, until.max(from + LEAST))) }
    }
}

/// ALARM fills the strip, OK is a line at its foot, and no data is a broken line between.
fn shape(state: State, from: f64, until: f64) -> Markup {
    let (class, top, height) = match state {
        State::Alarm => ("alarm", 0, HEIGHT),
        State::InsufficientData => ("no-data", 10, 4),
        State::Ok => ("ok", HEIGHT - 5, 5),
    };
    let (x, width) = (format!("{from:.1}"), format!("{:.1}", until - from));
    html! {
        @if state == State::InsufficientData {
            line.no-data x1=(x) x2=(format!("{until:.1}")) y1=(top + height / 2) y2=(top + height / 2) {}
        } @else {
            rect class=(class) x=(x) y=(top) width=(width) height=(height) {}
        }
    }
}

/// `In ALARM 2 times for 3 h 5 min in all over the last 1 d.`
fn summary(spans: &[Span], over: Duration) -> String {
    let alarms = spans.iter().filter(|span| span.state == Some(State::Alarm));
    let lasted: Duration = alarms.clone().map(|span| span.until.since(span.from)).sum();
    let over = length(over);
    match alarms.count() {
        0 => format!("Never in ALARM over the last {over}."),
        1 => format!("In ALARM once, for {}, over the last {over}.", length(lasted)),
        times => format!("In ALARM {times} times, for {} in all, over the last {over}.", length(lasted)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_secs(seconds)
    }

    /// From, to, since, at.
    fn change(from: State, to: State, since: i64, when: i64) -> Transition {
        Transition { from, to, since: at(since), at: at(when), reason: String::new(), value: None }
    }

    /// One letter for each ten seconds from 0 to 100: A, O, I, and a blank for what is not known.
    #[track_caller]
    fn check(changes: &[Transition], state: State, since: i64, expected: &str) {
        let alarm = Alarm { state, since: at(since), ..Alarm::default() };
        let spans = spans(changes, &alarm, at(0), at(100));
        let letter = |n: i64| {
            let found = spans.iter().find(|span| span.from <= at(n * 10) && at(n * 10) < span.until);
            match found.and_then(|span| span.state) {
                Some(State::Alarm) => 'A',
                Some(State::Ok) => 'O',
                Some(State::InsufficientData) => 'I',
                None => ' ',
            }
        };
        assert_eq!((0..10).map(letter).collect::<String>(), expected);
        assert!(spans.windows(2).all(|two| two[0].until == two[1].from), "{spans:?}");
        assert!(spans.iter().all(|span| span.from < span.until), "{spans:?}");
    }

    #[test]
    fn changes_and_the_present_state_fill_the_time() {
        use State::{Alarm as A, InsufficientData as I, Ok as O};
        check(&[], O, -50, "OOOOOOOOOO");
        check(&[], O, 40, "    OOOOOO");
        check(&[change(O, A, -100, 50)], A, 50, "OOOOOAAAAA");
        check(&[change(A, O, 40, 60), change(O, A, 20, 40), change(I, O, 10, 20)], O, 60, " IOOAAOOOO");
        check(&[change(O, A, 20, 40)], A, 70, "  OO   AAA");
        // Older than the time that is shown, and a clock that was set back.
        check(&[change(O, A, -500, -300)], A, -300, "AAAAAAAAAA");
        check(&[change(O, A, 50, 90)], A, 30, "     OOOOA");
        check(&[change(O, A, 50, 400)], A, 400, "     OOOOO");
    }

    #[test]
    fn the_strip_says_in_words_what_it_shows() {
        let alarm = Alarm { state: State::Ok, since: at(90), ..Alarm::default() };
        let changes = [change(State::Alarm, State::Ok, 60, 90), change(State::Ok, State::Alarm, -9, 60)];
        let over = Duration::from_secs(100);
        let html = strip(&spans(&changes, &alarm, at(0), at(100)), at(100), over).into_string();
        assert!(html.contains("In ALARM once, for 30 s, over the last 1 min."), "{html}");
        assert!(html.contains("ALARM for 30 s, 1970-01-01T00:01:00Z to 1970-01-01T00:01:30Z"), "{html}");
        assert_eq!(summary(&[], over), "Never in ALARM over the last 1 min.");
    }
}
