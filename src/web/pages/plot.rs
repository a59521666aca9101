//! One plot, drawn as SVG: lines over time from zero up, gaps where nothing is known, thresholds, and the time in which an
//! alarm was in ALARM. Useful without a script; plot.js adds reading and choosing by pointer and keys.
//!
//! Only the drawing itself is stretched to the room there is; words keep their size. Everything is geometry in attributes: the
//! content security policy allows no style in the page.

mod axis;
mod marks;
mod path;
mod scale;

use maud::{Markup, html};

pub use axis::Axis;
use axis::WIDTH;
pub use marks::{Mark, Span};
use path::short;
pub use scale::Unit;
use scale::{HEIGHT, Scale};

/// The room below the drawing for the time axis.
const FOOT: f64 = 20.0;
/// A value this many buckets before the end still counts as the newest: CloudWatch is some minutes late.
const FRESH: usize = 5;

/// How a series is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A level that goes up and down.
    Line,
    /// Something that happens now and then.
    Bars,
}

/// One series of a plot.
#[derive(Clone, Debug)]
pub struct Series {
    /// What it is.
    pub name: &'static str,
    /// How it is drawn.
    pub shape: Shape,
    /// One value a bucket; `None` is unknown.
    pub values: Vec<Option<f64>>,
}

impl Series {
    /// A series without what is no number.
    pub fn new(name: &'static str, shape: Shape, values: impl IntoIterator<Item = Option<f64>>) -> Self {
        let values = values.into_iter().map(|value| value.filter(|value| value.is_finite())).collect();
        Self { name, shape, values }
    }

    fn known(&self) -> impl DoubleEndedIterator<Item = f64> {
        self.values.iter().filter_map(|value| *value)
    }

    fn highest(&self) -> Option<f64> {
        self.known().reduce(f64::max)
    }

    /// The value at the end, if it is not too long ago.
    fn newest(&self) -> Option<f64> {
        self.values.iter().rev().take(FRESH).find_map(|value| *value)
    }
}

/// One plot.
#[derive(Clone, Debug)]
pub struct Plot {
    /// Names it on its page.
    pub key: &'static str,
    /// What it shows.
    pub title: &'static str,
    /// What the values are.
    pub unit: Unit,
    /// The time.
    pub axis: Axis,
    /// The values, the main series first; four at most.
    pub series: Vec<Series>,
    /// Thresholds and limits.
    pub marks: Vec<Mark>,
    /// When an alarm was in ALARM.
    pub alarms: Vec<Span>,
}

impl Plot {
    /// The figure, an item of a list of plots.
    pub fn figure(&self) -> Markup {
        let highest = self.series.iter().filter_map(Series::highest).reduce(f64::max);
        let marks = marks::in_sight(&self.marks, highest.unwrap_or_default());
        let tallest = marks.iter().map(|mark| mark.at).chain(highest).reduce(f64::max);
        let scale = Scale::of(tallest.unwrap_or_default(), self.unit);
        html! {
            figure.plot data-key=(self.key) data-unit=(self.unit_key())
                data-from=(self.axis.from.as_millis()) data-step=(self.axis.step.as_millis()) data-count=(self.axis.count) {
                (self.caption())
                div.area tabindex="0" role="group" aria-label={ (self.title) ": read values with the arrow keys" } {
                    (self.values_axis(scale))
                    svg.canvas role="img" aria-label=(self.words()) height=(HEIGHT + FOOT) {
                        (self.drawing(scale, &marks))
                        (marks::labels(&marks, scale, self.unit))
                        (self.time_axis())
                        @if highest.is_none() { text.nothing-known x="50%" y=(HEIGHT / 2.0) { "nothing is known of this time" } }
                    }
                }
                (marks::out_of_sight(&self.marks, &marks, self.unit))
            }
        }
    }

    /// How plot.js writes a value.
    fn unit_key(&self) -> &'static str {
        match self.unit {
            Unit::Count(_) => "count",
            Unit::Seconds => "seconds",
        }
    }

    /// Title and legend, with the newest values; the script writes others there.
    fn caption(&self) -> Markup {
        html! {
            figcaption {
                h3 { (self.title) @if !self.unit.words().is_empty() { " " small { (self.unit.words()) } } }
                output {}
                ul.legend { @for (place, series) in self.series.iter().enumerate() {
                    li data-values=(data(&series.values)) {
                        svg.swatch width="22" height="8" aria-hidden="true" {
                            path .{ "s" (place) } .bars[series.shape == Shape::Bars]
                                d=(if series.shape == Shape::Bars { "M4 8V4M11 8V0M18 8V5" } else { "M0 4H22" }) {}
                        }
                        (series.name) " "
                        b { (series.newest().map_or_else(|| "–".to_owned(), |value| self.unit.write(value))) }
                    }
                } }
            }
        }
    }

    fn values_axis(&self, scale: Scale) -> Markup {
        html! {
            svg.scale width="56" height=(HEIGHT + FOOT) aria-hidden="true" {
                @for tick in scale.ticks() {
                    text x="48" y=(short(scale.y(tick))) dy="0.35em" { (self.unit.write(tick)) }
                }
            }
        }
    }

    fn drawing(&self, scale: Scale, marks: &[&Mark]) -> Markup {
        html! {
            svg.drawing viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) preserveAspectRatio="none" width="100%" height=(HEIGHT) {
                @for span in marks::merged(&self.alarms, self.axis) {
                    rect.alarm x=(short(span.0)) width=(short(span.1 - span.0)) y="0" height=(HEIGHT) {
                        title { "an alarm was in ALARM" }
                    }
                }
                path.grid d=(grid(scale)) {}
                @for (place, series) in self.series.iter().enumerate().rev() {
                    path .{ "s" (place) } .bars[series.shape == Shape::Bars] d=(self.path(series, scale)) {}
                }
                @for mark in marks { path.mark .firing[mark.firing] d=(format!("M0 {}H{WIDTH}", short(scale.y(mark.at)))) {} }
            }
        }
    }

    fn path(&self, series: &Series, scale: Scale) -> String {
        match series.shape {
            Shape::Line => path::line(&series.values, self.axis, scale),
            Shape::Bars => path::bars(&series.values, self.axis, scale),
        }
    }

    fn time_axis(&self) -> Markup {
        html! {
            g.times data-every=(self.axis.every().as_millis()) {
                @for (at, words) in self.axis.ticks() {
                    @let share = self.axis.x(at) / WIDTH;
                    // Those at the edges stay inside.
                    @let edge = if share < 0.03 { Some("first") } else if share > 0.97 { Some("last") } else { None };
                    text class=[edge] x=(format!("{:.2}%", share * 100.0)) y=(HEIGHT + 15.0) { (words) }
                }
            }
        }
    }

    /// What somebody is told who does not see it.
    fn words(&self) -> String {
        let of = |series: &Series| {
            let (Some(highest), Some(lowest)) = (series.highest(), series.known().reduce(f64::min)) else {
                return format!("{}: nothing is known", series.name);
            };
            let now = series.newest().map_or_else(|| "not known".to_owned(), |value| self.unit.write(value));
            let [lowest, highest] = [lowest, highest].map(|value| self.unit.write(value));
            format!("{}: now {now}, lowest {lowest}, highest {highest}", series.name)
        };
        let series: Vec<String> = self.series.iter().map(of).collect();
        let unit = self.unit.words();
        let unit = if unit.is_empty() { String::new() } else { format!(" in {unit}") };
        format!(
            "{}{unit}, from {} to {}. {}.",
            self.title,
            self.axis.from,
            self.axis.until(),
            series.join("; ")
        )
    }
}

/// A faint line at every tick.
fn grid(scale: Scale) -> String {
    scale.ticks().map(|tick| format!("M0 {}H{WIDTH}", short(scale.y(tick)))).collect()
}

/// The values for the script: numbers between commas, nothing for what is unknown.
fn data(values: &[Option<f64>]) -> String {
    let written: Vec<String> = values.iter().map(|value| value.map(plain).unwrap_or_default()).collect();
    written.join(",")
}

/// A value for programs, to three places.
pub fn plain(value: f64) -> String {
    if value.fract() == 0.0 {
        return format!("{value:.0}");
    }
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests;
