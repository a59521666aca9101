//! The writer of the exposition formats: families, series, numbers and escapes, into one buffer.
//!
//! It guarantees that every family's header is written once, before its first series, and not at all without one; that any
//! label value comes out escaped; and that a compressed exposition is never held uncompressed as a whole.
//! The rules are those of Prometheus text 0.0.4 and OpenMetrics 1.0.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::labels::Labels;
use crate::domain::metric::Kind;

/// How much text is gathered before it goes to the compressor.
const CHUNK: usize = 64 * 1024;

/// The text format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Prometheus text 0.0.4.
    Prometheus,
    /// OpenMetrics 1.0.
    OpenMetrics,
}

/// The transfer's compression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// None.
    Identity,
    /// gzip at level 1: higher levels cost three times the time for half the size.
    Gzip,
}

/// One family's header.
#[derive(Clone, Copy, Debug)]
pub struct Family<'a> {
    /// The name of its series, with `_total` when it is a counter.
    pub name: &'a str,
    /// Gauge or counter.
    pub kind: Kind,
    /// One sentence.
    pub help: &'a str,
}

impl<'a> Family<'a> {
    /// A gauge.
    pub const fn gauge(name: &'a str, help: &'a str) -> Self {
        Self { name, kind: Kind::Gauge, help }
    }
}

/// An exposition being written.
pub struct Text {
    format: Format,
    buffer: Vec<u8>,
    compressor: Option<GzEncoder<Vec<u8>>>,
    int: itoa::Buffer,
    float: ryu::Buffer,
}

impl Text {
    /// An empty exposition; `capacity` is how long it will probably get.
    pub fn new(format: Format, encoding: Encoding, capacity: usize) -> Self {
        let (buffer, compressor) = match encoding {
            Encoding::Identity => (Vec::with_capacity(capacity), None),
            Encoding::Gzip => {
                let sink = Vec::with_capacity(capacity);
                (Vec::with_capacity(2 * CHUNK), Some(GzEncoder::new(sink, Compression::fast())))
            }
        };
        Self { format, buffer, compressor, int: itoa::Buffer::new(), float: ryu::Buffer::new() }
    }

    /// Opens a family; its series are written through what is returned.
    pub fn family<'t>(&'t mut self, family: Family<'t>) -> Series<'t> {
        Series { text: self, family, open: false }
    }

    /// Takes families that another encoder wrote as Prometheus text, and makes them this format's.
    pub fn foreign(&mut self, prometheus: &str) {
        for line in prometheus.lines() {
            let header = line.strip_prefix("# HELP ").or_else(|| line.strip_prefix("# TYPE "));
            match header.and_then(|rest| rest.split_once(' ')) {
                Some((name, rest)) if self.format == Format::OpenMetrics => {
                    self.put(&line[..7]);
                    self.put(name.strip_suffix("_total").unwrap_or(name));
                    self.put(" ");
                    self.put(rest);
                }
                _ => self.put(line),
            }
            self.put("\n");
            self.spill(CHUNK);
        }
    }

    /// The finished exposition.
    pub fn finish(mut self) -> Vec<u8> {
        if self.format == Format::OpenMetrics {
            self.put("# EOF\n");
        }
        self.spill(0);
        match self.compressor {
            Some(compressor) => compressor.finish().expect("a vector takes every byte"),
            None => self.buffer,
        }
    }

    fn header(&mut self, family: Family<'_>) {
        let name = match self.format {
            Format::OpenMetrics => family.name.strip_suffix("_total").unwrap_or(family.name),
            Format::Prometheus => family.name,
        };
        self.put("# HELP ");
        self.put(name);
        self.put(" ");
        self.put(&self.help(family.help));
        self.put("\n# TYPE ");
        self.put(name);
        self.put(" ");
        self.put(family.kind.as_str());
        self.put("\n");
        let unit = ["seconds", "bytes", "ratio"]
            .into_iter()
            .find(|unit| name.strip_suffix(unit).is_some_and(|rest| rest.ends_with('_')));
        if let (Format::OpenMetrics, Some(unit)) = (self.format, unit) {
            self.put("# UNIT ");
            self.put(name);
            self.put(" ");
            self.put(unit);
            self.put("\n");
        }
    }

    fn help(&self, help: &str) -> String {
        let escaped = help.replace('\\', "\\\\").replace('\n', "\\n");
        match self.format {
            Format::Prometheus => escaped,
            Format::OpenMetrics => escaped.replace('"', "\\\""),
        }
    }

    fn number(&mut self, value: f64) {
        // Up to 2^53 a whole number is exact in either form, and shorter without a fraction.
        let whole = value.fract() == 0.0 && value.abs() < 9_007_199_254_740_992.0;
        let text = match value {
            _ if whole => self.int.format(value as i64),
            _ if value.is_nan() => "NaN",
            f64::INFINITY => "+Inf",
            f64::NEG_INFINITY => "-Inf",
            _ => self.float.format_finite(value),
        };
        self.buffer.extend_from_slice(text.as_bytes());
    }

    fn put(&mut self, text: &str) {
        self.buffer.extend_from_slice(text.as_bytes());
    }

    /// Hands gathered text to the compressor, if there is one and more than `above` bytes wait.
    fn spill(&mut self, above: usize) {
        if let Some(compressor) = &mut self.compressor
            && self.buffer.len() > above
        {
            compressor.write_all(&self.buffer).expect("a vector takes every byte");
            self.buffer.clear();
        }
    }
}

/// The series of one family being written.
pub struct Series<'t> {
    text: &'t mut Text,
    family: Family<'t>,
    open: bool,
}

impl Series<'_> {
    /// One series.
    pub fn add(&mut self, labels: &Labels, value: f64) {
        self.write(labels, None, value);
    }

    /// One series with one more label, whose value is a word that needs no escape.
    pub fn add_with(&mut self, labels: &Labels, name: &str, word: &str, value: f64) {
        self.write(labels, Some((name, word)), value);
    }

    fn write(&mut self, labels: &Labels, extra: Option<(&str, &str)>, value: f64) {
        if !self.open {
            self.text.header(self.family);
            self.open = true;
        }
        let text = &mut *self.text;
        text.put(self.family.name);
        let mut separator = "{";
        if !labels.as_str().is_empty() {
            text.put("{");
            text.put(labels.as_str());
            separator = ",";
        }
        if let Some((name, word)) = extra {
            text.put(separator);
            text.put(name);
            text.put("=\"");
            text.put(word);
            text.put("\"");
        }
        text.put(if labels.as_str().is_empty() && extra.is_none() { " " } else { "} " });
        text.number(value);
        text.put("\n");
        text.spill(CHUNK);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(format: Format, family: Family<'_>, labels: &Labels, value: f64) -> String {
        let mut text = Text::new(format, Encoding::Identity, 0);
        text.family(family).add(labels, value);
        String::from_utf8(text.finish()).unwrap()
    }

    #[test]
    fn numbers_are_written_as_prometheus_reads_them() {
        for (value, expected) in [
            (0.0, "0"),
            (-0.0, "0"),
            (12.0, "12"),
            (-3.0, "-3"),
            (0.1, "0.1"),
            (1e21, "1e21"),
            (1_767_323_045.678, "1767323045.678"),
            (9_007_199_254_740_991.0, "9007199254740991"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "+Inf"),
            (f64::NEG_INFINITY, "-Inf"),
        ] {
            let text = one(Format::Prometheus, Family::gauge("x", "X."), &Labels::default(), value);
            assert_eq!(text, format!("# HELP x X.\n# TYPE x gauge\nx {expected}\n"));
            assert!(value.is_nan() || expected.parse::<f64>() == Ok(value));
        }
    }

    #[test]
    fn openmetrics_drops_total_from_headers_names_units_and_ends() {
        let family = Family { name: "sent_bytes_total", kind: Kind::Counter, help: "a \"b\" \\ c\nd" };
        assert_eq!(
            one(Format::OpenMetrics, family, &Labels::of([("queue", "q")]), 1.0),
            "# HELP sent_bytes a \\\"b\\\" \\\\ c\\nd\n# TYPE sent_bytes counter\n# UNIT sent_bytes bytes\n\
             sent_bytes_total{queue=\"q\"} 1\n# EOF\n"
        );
        assert_eq!(
            one(Format::Prometheus, family, &Labels::default(), 1.0),
            "# HELP sent_bytes_total a \"b\" \\\\ c\\nd\n# TYPE sent_bytes_total counter\nsent_bytes_total 1\n"
        );
    }

    #[test]
    fn families_of_another_encoder_take_the_format_and_a_family_without_series_leaves_no_trace() {
        let theirs = "# HELP a_total A.\n# TYPE a_total counter\na_total{x=\"# HELP a_total\"} 1\n";
        for (format, expected) in [
            (Format::Prometheus, theirs.to_owned()),
            (
                Format::OpenMetrics,
                "# HELP a A.\n# TYPE a counter\na_total{x=\"# HELP a_total\"} 1\n# EOF\n".to_owned(),
            ),
        ] {
            let mut text = Text::new(format, Encoding::Identity, 0);
            text.family(Family::gauge("none", "None."));
            text.foreign(theirs);
            assert_eq!(String::from_utf8(text.finish()).unwrap(), expected);
        }
    }

    #[test]
    fn compressed_text_is_the_same_text() {
        let write = |encoding| {
            let mut text = Text::new(Format::Prometheus, encoding, 0);
            let mut series = text.family(Family::gauge("x", "X."));
            for n in 0..20_000 {
                series.add_with(&Labels::of([("n", &*n.to_string())]), "state", "visible", f64::from(n));
            }
            text.finish()
        };
        let mut plain = Vec::new();
        let packed = write(Encoding::Gzip);
        std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&*packed), &mut plain).unwrap();
        assert!(plain.len() > 2 * CHUNK && packed.len() < plain.len() / 4);
        assert_eq!(plain, write(Encoding::Identity));
    }
}
