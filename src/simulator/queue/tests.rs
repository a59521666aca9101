//! What SQS promises, promise by promise, with time as an argument.

use super::*;

const SECOND: Millis = 1_000;

fn standard() -> Queue {
    Queue::new("arn:aws:sqs:us-east-1:123456789012:q".into(), Settings::new(false), 0, 1)
}

fn fifo() -> Queue {
    Queue::new("arn:aws:sqs:us-east-1:123456789012:q.fifo".into(), Settings::new(true), 0, 1)
}

fn text(body: &str) -> Draft {
    Draft { body: body.into(), ..Draft::default() }
}

fn grouped(group: &str, body: &str) -> Draft {
    Draft { group: Some(group.into()), deduplication_id: Some(body.into()), ..text(body) }
}

fn take(queue: &mut Queue, max: usize, now: Millis) -> Vec<(String, String)> {
    let receipt = queue.receive(max, None, None, now).unwrap();
    receipt.delivered.into_iter().map(|(message, handle)| (message.body.to_string(), handle)).collect()
}

fn bodies(queue: &mut Queue, max: usize, now: Millis) -> Vec<String> {
    take(queue, max, now).into_iter().map(|(body, _)| body).collect()
}

fn counts(queue: &mut Queue, now: Millis) -> (u64, u64, u64) {
    let Counts { visible, in_flight, delayed } = queue.counts(now);
    (visible, in_flight, delayed)
}

#[test]
fn a_received_message_is_hidden_until_its_timeout() {
    let mut queue = standard();
    queue.send(text("a"), 0).unwrap();
    assert_eq!(bodies(&mut queue, 10, 0), ["a"]);
    assert_eq!(counts(&mut queue, 29_999), (0, 1, 0));
    assert!(bodies(&mut queue, 10, 29_999).is_empty());
    assert_eq!(counts(&mut queue, 30 * SECOND), (1, 0, 0));
    assert_eq!(bodies(&mut queue, 10, 30 * SECOND), ["a"]);
}

#[test]
fn a_delayed_message_comes_later() {
    let mut queue = standard();
    queue.send(Draft { delay: Some(5), ..text("a") }, 0).unwrap();
    assert_eq!(counts(&mut queue, 4_999), (0, 0, 1));
    assert_eq!(counts(&mut queue, 5 * SECOND), (1, 0, 0));
}

#[test]
fn deleting_needs_the_latest_handle() {
    let mut queue = standard();
    queue.send(text("a"), 0).unwrap();
    let (_, old) = take(&mut queue, 1, 0).remove(0);
    let (_, new) = take(&mut queue, 1, 40 * SECOND).remove(0);
    queue.delete(&old, 41 * SECOND).unwrap();
    assert_eq!(counts(&mut queue, 41 * SECOND), (0, 1, 0), "an outdated handle deletes nothing");
    queue.delete(&new, 41 * SECOND).unwrap();
    assert_eq!(counts(&mut queue, 41 * SECOND), (0, 0, 0));
    assert_eq!(queue.delete("nonsense", 0).unwrap_err().code, "ReceiptHandleIsInvalid");
    assert_eq!(queue.tally.deleted, 1);
}

#[test]
fn visibility_can_be_changed_and_given_up() {
    let mut queue = standard();
    queue.send(text("a"), 0).unwrap();
    let (_, handle) = take(&mut queue, 1, 0).remove(0);
    queue.change_visibility(&handle, 100, 0).unwrap();
    assert_eq!(counts(&mut queue, 99 * SECOND), (0, 1, 0));
    queue.change_visibility(&handle, 0, 99 * SECOND).unwrap();
    assert_eq!(counts(&mut queue, 99 * SECOND), (1, 0, 0));
    assert!(queue.change_visibility(&handle, 1, 99 * SECOND).is_err(), "it is no longer in flight");
}

#[test]
fn a_message_is_dead_after_its_receives_and_not_before() {
    let mut queue = standard();
    queue.send(text("a"), 0).unwrap();
    for attempt in 0..3 {
        let receipt = queue.receive(1, Some(0), Some(3), attempt * SECOND).unwrap();
        assert_eq!((receipt.delivered.len(), receipt.dead.len()), (1, 0), "attempt {attempt}");
    }
    let receipt = queue.receive(1, Some(0), Some(3), 3 * SECOND).unwrap();
    assert_eq!((receipt.delivered.len(), receipt.dead.len()), (0, 1));
    assert_eq!(counts(&mut queue, 3 * SECOND), (0, 0, 0));
}

#[test]
fn a_dead_letter_keeps_its_time_in_a_standard_queue_and_is_no_send() {
    let mut source = standard();
    source.send(text("a"), 0).unwrap();
    source.receive(1, Some(0), None, 0).unwrap();
    let dead = source.receive(1, None, Some(1), SECOND).unwrap().dead.remove(0);
    let mut target = standard();
    target.settings.retention = 60;
    target.accept_dead_letter(dead.clone(), &source.arn, 50 * SECOND);
    assert_eq!(target.tally.sent, 0);
    assert_eq!(target.oldest_age(55 * SECOND), 5.0, "the age counts from the move");
    assert_eq!(counts(&mut target, 60 * SECOND), (0, 0, 0), "the retention counts from the first enqueueing");

    let mut target = fifo();
    target.settings.retention = 60;
    target.accept_dead_letter(dead, &source.arn, 50 * SECOND);
    assert_eq!(counts(&mut target, 109 * SECOND), (1, 0, 0), "FIFO resets the time");
}

#[test]
fn a_message_received_three_times_goes_to_the_back_and_out_of_the_age() {
    let mut queue = standard();
    queue.send(text("poison"), 0).unwrap();
    queue.send(text("fine"), 10 * SECOND).unwrap();
    for _ in 0..2 {
        queue.receive(1, Some(0), None, 20 * SECOND).unwrap();
    }
    assert_eq!(queue.oldest_age(20 * SECOND), 20.0);
    queue.receive(1, Some(0), None, 20 * SECOND).unwrap();
    assert_eq!(queue.oldest_age(20 * SECOND), 10.0);
    assert_eq!(bodies(&mut queue, 2, 20 * SECOND), ["fine", "poison"]);
}

#[test]
fn retention_deletes() {
    let mut queue = standard();
    queue.settings.retention = 60;
    queue.send(text("a"), 0).unwrap();
    take(&mut queue, 1, 0);
    assert_eq!(counts(&mut queue, 60 * SECOND), (0, 0, 0));
    assert_eq!(queue.oldest_age(60 * SECOND), 0.0);
}

#[test]
fn purge_forgets_all() {
    let mut queue = fifo();
    queue.send(grouped("g", "a"), 0).unwrap();
    queue.send(grouped("g", "b"), 0).unwrap();
    take(&mut queue, 1, 0);
    queue.purge(SECOND);
    assert_eq!((counts(&mut queue, SECOND), queue.groups_in_flight()), ((0, 0, 0), 0));
    queue.send(grouped("g", "c"), SECOND).unwrap();
    assert_eq!(bodies(&mut queue, 1, SECOND), ["c"], "the group is free again");
}

#[test]
fn fifo_keeps_order_within_a_group_and_locks_it() {
    let mut queue = fifo();
    for (group, body) in [("x", "x1"), ("y", "y1"), ("x", "x2"), ("y", "y2")] {
        queue.send(grouped(group, body), 0).unwrap();
    }
    let first = take(&mut queue, 1, 0);
    assert_eq!(first[0].0, "x1");
    assert_eq!(bodies(&mut queue, 10, 0), ["y1", "y2"], "x waits while x1 is in flight");
    queue.change_visibility(&first[0].1, 0, 0).unwrap();
    assert_eq!(bodies(&mut queue, 10, 0), ["x1", "x2"], "x1 comes again before x2");
}

#[test]
fn fifo_takes_a_duplicate_once_in_five_minutes() {
    let mut queue = fifo();
    let first = queue.send(grouped("x", "a"), 0).unwrap();
    assert_eq!(queue.send(grouped("x", "a"), 299 * SECOND).unwrap(), first);
    assert_eq!((queue.tally.sent, queue.tally.deduplicated), (1, 1));
    assert_ne!(queue.send(grouped("x", "a"), 300 * SECOND).unwrap(), first);
    let mut by_group = fifo();
    by_group.settings.set("DeduplicationScope", "messageGroup").unwrap();
    by_group.send(Draft { deduplication_id: Some("1".into()), ..grouped("x", "a") }, 0).unwrap();
    by_group.send(Draft { deduplication_id: Some("1".into()), ..grouped("y", "b") }, 0).unwrap();
    assert_eq!(counts(&mut by_group, 0), (2, 0, 0));
}

#[test]
fn a_noisy_tenant_is_left_out_of_the_quiet_groups() {
    let mut queue = standard();
    queue.send(text("nobody's"), 0).unwrap();
    assert_eq!(queue.quiet_groups(0), None);
    (0..12).for_each(|number| drop(queue.send(grouped("noisy", &number.to_string()), 0).unwrap()));
    take(&mut queue, 13, 0);
    queue.send(grouped("quiet", "q"), 5 * SECOND).unwrap();
    let quiet = queue.quiet_groups(9 * SECOND).unwrap();
    let counts = Counts { visible: 1, in_flight: 1, delayed: 0 };
    assert_eq!((quiet.noisy_groups, quiet.counts, quiet.oldest_age), (1, counts, 9.0));
}

#[test]
fn what_sqs_refuses_is_refused() {
    let mut queue = standard();
    queue.settings.maximum_message_size = 1_024;
    assert!(queue.send(text(&"x".repeat(1_024)), 0).is_ok());
    assert!(queue.send(text(&"x".repeat(1_025)), 0).is_err());
    assert!(queue.send(text(""), 0).is_err());
    assert!(queue.send(Draft { delay: Some(901), ..text("a") }, 0).is_err());
    assert!(fifo().send(text("a"), 0).is_err(), "no group");
    assert!(fifo().send(Draft { group: Some("g".into()), ..text("a") }, 0).is_err(), "no deduplication id");
}

#[test]
fn indexes_agree_with_the_messages_whatever_happens() {
    proptest::proptest!(|(steps in proptest::collection::vec((0u8..6, 0i64..40), 1..80), is_fifo in proptest::bool::ANY)| {
        let mut queue = if is_fifo { fifo() } else { standard() };
        queue.settings.retention = 600;
        let (mut now, mut handles, mut number) = (0, Vec::new(), 0);
        for (action, seconds) in steps {
            now += seconds * SECOND;
            number += 1;
            match action {
                0 | 1 => drop(queue.send(grouped(&format!("g{}", seconds % 3), &number.to_string()), now).unwrap()),
                2 | 3 => handles.extend(take(&mut queue, 3, now).into_iter().map(|(_, handle)| handle)),
                4 => if let Some(handle) = handles.pop() { queue.delete(&handle, now).unwrap() },
                _ => if let Some(handle) = handles.last() { let _ = queue.change_visibility(handle, 5, now); },
            }
            let (visible, in_flight, delayed) = counts(&mut queue, now);
            proptest::prop_assert_eq!(visible + in_flight + delayed, queue.messages.len() as u64);
            proptest::prop_assert_eq!(queue.expiry.len(), queue.messages.len());
            let busy: u32 = queue.busy_groups.values().sum();
            proptest::prop_assert_eq!(u64::from(busy), in_flight);
        }
    });
}
