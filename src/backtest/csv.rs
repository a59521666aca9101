//! Rows of text: `time,queue,metric,value`.
//!
//! The first row may be a header, which then says in which order the columns stand. Lines that are blank or begin with `#` are
//! skipped, a field may stand in double quotes within one line, and a line has a bound, so that the reader's memory does.

use std::io::{self, BufRead, Read};

use super::data::{BYTE_ORDER_MARK, Collector, Refusal, Shown};
use crate::config::suggest;
use crate::domain::rule::MetricRef;
use crate::domain::time::Timestamp;

/// The longest line that is read, in bytes.
const LONGEST_LINE: usize = 64 * 1024;
/// The columns, in the order they have without a header.
const COLUMNS: [&str; 4] = ["time", "queue", "metric", "value"];

/// Where each of [`COLUMNS`] stands.
type Places = [usize; 4];

/// Reads rows to the end, or until too much is wrong.
///
/// # Errors
/// When the input cannot be read.
pub(super) fn read(mut input: impl BufRead, collector: &mut Collector) -> io::Result<()> {
    let (mut buffer, mut number, mut rows) = (Vec::new(), 0, Rows::default());
    while !collector.is_hopeless() && !rows.lost && next_line(&mut input, &mut buffer)? {
        number += 1;
        let mut line = buffer.trim_ascii_end();
        if number == 1 {
            line = line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line);
        }
        let line = line.trim_ascii_start();
        if line.is_empty() || line.starts_with(b"#") {
            continue;
        }
        if let Err(refusal) = rows.take(line, collector) {
            collector.refuse(Some(number), String::new(), refusal);
        }
    }
    Ok(())
}

/// Puts the next line into `buffer`, one that is too long only up to the bound and a byte; `false` at the end.
fn next_line(input: &mut impl BufRead, buffer: &mut Vec<u8>) -> io::Result<bool> {
    buffer.clear();
    let limit = LONGEST_LINE as u64 + 1;
    input.by_ref().take(limit).read_until(b'\n', buffer)?;
    if buffer.len() > LONGEST_LINE && buffer.last() != Some(&b'\n') {
        skip_line(input)?;
    }
    Ok(!buffer.is_empty())
}

fn skip_line(input: &mut impl BufRead) -> io::Result<()> {
    loop {
        let chunk = input.fill_buf()?;
        let (used, done) = match chunk.iter().position(|byte| *byte == b'\n') {
            Some(end) => (end + 1, true),
            None => (chunk.len(), chunk.is_empty()),
        };
        input.consume(used);
        if done {
            return Ok(());
        }
    }
}

/// What is known while rows are read.
#[derive(Debug, Default)]
struct Rows {
    /// `None` before the first row.
    places: Option<Places>,
    /// Whether the header was refused, so that nobody knows what rows mean.
    lost: bool,
    /// The metric of the row before, as most rows have the same.
    metric: Option<(String, MetricRef)>,
}

impl Rows {
    fn take(&mut self, line: &[u8], collector: &mut Collector) -> Result<(), Refusal> {
        if line.len() > LONGEST_LINE {
            return Err(Refusal::plain(format!("is longer than {LONGEST_LINE} bytes")));
        }
        let text = std::str::from_utf8(line).map_err(|_| Refusal::plain("is no UTF-8 text"))?;
        let fields = fields(text)?;
        let places = match self.places {
            Some(places) => places,
            None => {
                let header = header(&fields).inspect_err(|_| self.lost = true)?;
                let places = *self.places.insert(header.unwrap_or([0, 1, 2, 3]));
                if header.is_some() {
                    return Ok(());
                }
                places
            }
        };
        if fields.len() != COLUMNS.len() {
            let message = format!("has {} fields instead of {}", fields.len(), COLUMNS.len());
            return Err(Refusal::new(message, format!("a row is `{}`", COLUMNS.join(","))));
        }
        let [at, queue, metric, value] = places.map(|place| &*fields[place]);
        let at = instant(at)?;
        let value = value.parse().map_err(|_| Refusal::plain(format!("{} is no number", Shown(value))))?;
        let metric = self.metric(metric, collector)?;
        collector.row(queue, metric, (at, value))
    }

    fn metric(&mut self, text: &str, collector: &Collector) -> Result<&MetricRef, Refusal> {
        let known = self.metric.take().filter(|(name, _)| name == text);
        let found = match known {
            Some(found) => found,
            None => (text.to_owned(), collector.metric(text)?),
        };
        Ok(&self.metric.insert(found).1)
    }
}

/// The places of the columns when this is a header; `None` when it is a row.
fn header(fields: &[String]) -> Result<Option<Places>, Refusal> {
    let names: Vec<String> = fields.iter().map(|field| field.to_ascii_lowercase()).collect();
    let known = names.iter().filter(|name| COLUMNS.contains(&name.as_str())).count();
    if known < 2 {
        return Ok(None);
    }
    if let Some(name) = names.iter().find(|name| !COLUMNS.contains(&name.as_str())) {
        let hint = suggest::hint(name, &COLUMNS).unwrap_or_default();
        return Err(Refusal::new(format!("{} is no column", Shown(name)), hint));
    }
    let mut places = [0; 4];
    for (place, column) in places.iter_mut().zip(COLUMNS) {
        let mut found = names.iter().enumerate().filter(|(_, name)| *name == column);
        match (found.next(), found.next()) {
            (Some((index, _)), None) => *place = index,
            (None, _) => return Err(Refusal::plain(format!("the column `{column}` is missing"))),
            _ => return Err(Refusal::plain(format!("the column `{column}` is there twice"))),
        }
    }
    Ok(Some(places))
}

/// An instant with its offset from UTC.
fn instant(text: &str) -> Result<Timestamp, Refusal> {
    text.parse().map_err(|_| {
        let message = format!("{} is no instant", Shown(text));
        Refusal::new(message, "write RFC 3339 with an offset, e.g. `2026-01-02T03:04:00Z`")
    })
}

/// The fields of one line, without the blanks around them; `""` within quotes is a quote.
fn fields(line: &str) -> Result<Vec<String>, Refusal> {
    if !line.contains('"') {
        return Ok(line.split(',').map(|field| field.trim().to_owned()).collect());
    }
    let (mut fields, mut rest) = (Vec::new(), line);
    loop {
        let after = match rest.trim_start().strip_prefix('"') {
            Some(quoted) => {
                let (field, after) = quoted_field(quoted)?;
                fields.push(field);
                after.trim_start()
            }
            None => {
                let end = rest.find(',').unwrap_or(rest.len());
                fields.push(rest[..end].trim().to_owned());
                &rest[end..]
            }
        };
        match after.strip_prefix(',') {
            Some(next) => rest = next,
            None if after.is_empty() => return Ok(fields),
            None => return Err(Refusal::plain(format!("{} follows a closing quote", Shown(after)))),
        }
    }
}

/// What stands before the closing quote, and what after it.
fn quoted_field(text: &str) -> Result<(String, &str), Refusal> {
    let (mut field, mut rest) = (String::new(), text);
    loop {
        let Some((before, after)) = rest.split_once('"') else {
            return Err(Refusal::plain("a quote is not closed within its line"));
        };
        field.push_str(before);
        match after.strip_prefix('"') {
            Some(next) => {
                field.push('"');
                rest = next;
            }
            None => return Ok((field, after)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::data::Data;
    use super::*;
    use crate::domain::metric::Metric;

    fn parse(text: &[u8]) -> Result<Data, String> {
        let mut collector = Collector::default();
        read(text, &mut collector).unwrap();
        collector.finish("rows.csv").map_err(|faults| faults.to_string())
    }

    #[test]
    fn rows_are_read_with_and_without_a_header_and_however_they_are_written() {
        let expected = parse(b"2026-01-02T03:04:00Z,orders,messages_visible,5\n").unwrap();
        assert_eq!(expected.queues["orders"][&Metric::MessagesVisible][0].1, 5.0);
        for same in [
            &b"time,queue,metric,value\n2026-01-02T03:04:00Z,orders,ApproximateNumberOfMessagesVisible,5"[..],
            b"\xef\xbb\xbfTime,Queue,Metric,Value\r\n2026-01-02T03:04:00Z,orders,messages_visible,5.0\r\n",
            b"value,metric,queue,time\n5e0, messages_visible ,orders,2026-01-02T04:04:00+01:00\n",
            b"\n# why\n\n   \n2026-01-02T03:04:00Z,\"orders\",\"messages_visible\" , \"5\"\n\n",
            b"\"time\",\"queue\",\"metric\",\"value\"\n2026-01-02T03:04:00.000Z,orders,messages_visible,+5\n",
        ] {
            assert_eq!(parse(same).as_ref(), Ok(&expected), "{}", String::from_utf8_lossy(same));
        }
    }

    #[test]
    fn every_fault_is_told_with_its_line() {
        let text = "time,queue,metric,value\n\
                    yesterday,q,messages_visible,1\n\
                    2026-01-02T03:04:00,q,messages_visible,1\n\
                    2026-01-02T03:04:00Z,q,mesages_visible,1\n\
                    2026-01-02T03:04:00Z,q,messages_visible,many\n\
                    \n\
                    2026-01-02T03:04:00Z,q,messages_visible,NaN\n\
                    2026-01-02T03:04:00Z,q,messages_visible,1e999\n\
                    2026-01-02T03:04:00Z,q,messages_visible,-1\n\
                    2026-01-02T03:04:00Z,,messages_visible,1\n\
                    2026-01-02T03:04:00Z,q,messages_visible\n\
                    2026-01-02T03:04:00Z,\"q,messages_visible,1\n\
                    2026-01-02T03:04:00Z,\"q\"x,messages_visible,1\n\
                    2026-01-02T03:04:00Z,q,messages_visible,1\n";
        let faults = parse(text.as_bytes()).unwrap_err();
        for fault in [
            ":2: `yesterday` is no instant",
            ":3: `2026-01-02T03:04:00` is no instant",
            ":4: `mesages_visible` is no metric\n  hint: did you mean `messages_visible`?",
            ":5: `many` is no number",
            ":7: `NaN` is no finite number",
            ":8: `inf` is no finite number",
            ":9: `-1` is negative",
            ":10: has no queue",
            ":11: has 3 fields instead of 4",
            ":12: a quote is not closed",
            ":13: `x,messages_visible,1` follows a closing quote",
        ] {
            assert!(faults.contains(fault), "{fault:?} is missing in\n{faults}");
        }
        assert_eq!(faults.matches("rows.csv:").count(), 11, "{faults}");
    }

    #[test]
    fn headers_that_are_not_ours_are_refused_by_name() {
        for (header, fault) in [
            ("time,queue,metric,value,region", "`region` is no column"),
            ("time,queue,value", "the column `metric` is missing"),
            ("time,queue,value,value,metric", "the column `value` is there twice"),
            ("time,queue,metric,metric", "the column `metric` is there twice"),
        ] {
            let faults = parse(format!("{header}\nrow,after,row\n").as_bytes()).unwrap_err();
            assert!(faults.starts_with(&format!("rows.csv:1: {fault}")), "{faults}");
            assert!(!faults.contains(":2:"), "{faults}");
        }
    }

    #[test]
    fn hostile_input_is_refused_in_bounded_memory() {
        let mut long = vec![b'x'; 100_000_000];
        long.extend(b"\n2026-01-02T03:04:00Z,q,nonsense,1\n");
        let faults = parse(&long).unwrap_err();
        assert!(faults.contains(":1: is longer than") && faults.contains(":2: `nonsense`"), "{faults}");

        let binary: Vec<u8> = (0..200_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        let faults = parse(&binary).unwrap_err();
        assert!(faults.contains("and ") && faults.len() < 20_000, "{}", faults.len());
        assert!(
            !faults.chars().any(|c| c.is_control() && c != '\n'),
            "control characters reach the terminal"
        );

        for nothing in [&b""[..], b"\n\n", b"# only a comment", b"time,queue,metric,value\n"] {
            assert!(parse(nothing).unwrap_err().contains("no datapoint"));
        }
    }
}
