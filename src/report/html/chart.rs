//! A chart: a few lines over the steps of a course, as SVG. Stacked where they add up, lines where
//! they are levels. Needs no script; what each step holds shows where the pointer rests.

use crate::event::Timestamp;
use crate::html::{Grouped, Text};
use crate::report::course::{Course, Line};
use std::fmt::Write;

/// Colours that the style sheet has; more lines than these are one.
pub(super) const COLOURS: usize = 7;
const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 220.0;
const LEFT: f64 = 46.0;
const RIGHT: f64 = 8.0;
const TOP: f64 = 8.0;
const BOTTOM: f64 = 22.0;
/// Marks on the axis of time.
const MARKS: u8 = 5;

/// How lines are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// On top of each other: counts of a step.
    Stacked,
    /// Each from zero: levels.
    Lines,
}

/// What is drawn.
pub(super) struct Chart<'a> {
    pub(super) title: &'a str,
    /// What a value is, for people.
    pub(super) unit: &'a str,
    pub(super) shape: Shape,
    pub(super) lines: Vec<Line>,
}

impl Chart<'_> {
    /// Draws it; nothing where there is nothing.
    pub(super) fn draw(&self, course: &Course, out: &mut String) {
        if self.lines.is_empty() || course.steps == 0 {
            return;
        }
        // Writing to a String cannot fail.
        let _ =
            write!(out, "<div class=\"card\"><h3>{}</h3><div class=\"dim\">{}", Text(self.title), self.unit);
        if self.shape == Shape::Stacked {
            let _ = write!(out, " in {}", length(course.step));
        }
        let _ = write!(
            out,
            "</div><svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{}\">",
            Text(self.title)
        );
        let top = nice(self.highest(course.steps));
        axes(course, top, out);
        match self.shape {
            Shape::Stacked => self.stack(course.steps, top, out),
            Shape::Lines => self.paths(course.steps, top, out),
        }
        self.looks(course, out);
        out.push_str("</svg><div class=\"legend\">");
        for (place, line) in self.lines.iter().enumerate() {
            let most = line.values.iter().copied().fold(0.0, f64::max);
            let (word, value) = match self.shape {
                Shape::Stacked => ("", line.values.iter().sum::<f64>()),
                Shape::Lines => ("at most ", most),
            };
            let _ = write!(
                out,
                "<span><i class=\"s{place}\"></i>{} <span class=\"dim\">{word}{}</span></span>",
                Text(&name(line)),
                Grouped(whole(value))
            );
        }
        out.push_str("</div></div>\n");
    }

    fn highest(&self, steps: usize) -> f64 {
        let of_step = |step: usize| {
            let values = self.lines.iter().filter_map(|line| line.values.get(step).copied());
            match self.shape {
                Shape::Stacked => values.sum(),
                Shape::Lines => values.fold(0.0, f64::max),
            }
        };
        (0..steps).map(of_step).fold(0.0, f64::max)
    }

    /// Areas with steps, the first line at the bottom.
    fn stack(&self, steps: usize, top: f64, out: &mut String) {
        let mut below = vec![0.0; steps];
        for (place, line) in self.lines.iter().enumerate() {
            let above: Vec<f64> =
                below.iter().zip(&line.values).map(|(below, value)| below + value).collect();
            let _ = write!(out, "<path class=\"stack s{place}\" d=\"");
            // Only where there is something: a thin area is no line.
            let mut step = 0;
            while step < steps {
                if above[step] <= below[step] {
                    step += 1;
                    continue;
                }
                let end = (step..steps).find(|at| above[*at] <= below[*at]).unwrap_or(steps);
                let _ = write!(out, "M{:.1} {:.1}", x(step, steps), y(below[step], top));
                for (at, value) in above[step..end].iter().enumerate() {
                    let (from, to) = (x(step + at, steps), x(step + at + 1, steps));
                    let _ = write!(out, "L{from:.1} {0:.1}H{to:.1}", y(*value, top));
                }
                for at in (step..end).rev() {
                    let (from, to) = (x(at + 1, steps), x(at, steps));
                    let _ = write!(out, "L{from:.1} {0:.1}H{to:.1}", y(below[at], top));
                }
                out.push('Z');
                step = end;
            }
            out.push_str("\"/>");
            below = above;
        }
    }

    fn paths(&self, steps: usize, top: f64, out: &mut String) {
        for (place, line) in self.lines.iter().enumerate() {
            let _ = write!(out, "<path class=\"path s{place}\" d=\"");
            for (step, value) in line.values.iter().enumerate() {
                let letter = if step == 0 { 'M' } else { 'L' };
                let _ = write!(out, "{letter}{:.1} {:.1}", x(step + 1, steps), y(*value, top));
            }
            out.push_str("\"/>");
        }
    }

    /// A field over each step with words for it.
    fn looks(&self, course: &Course, out: &mut String) {
        for step in 0..course.steps {
            let values: Vec<_> = self
                .lines
                .iter()
                .filter(|line| line.values.get(step).is_some_and(|value| *value > 0.0))
                .map(|line| format!("{} {}", Text(&name(line)), Grouped(whole(line.values[step]))))
                .collect();
            if values.is_empty() {
                continue;
            }
            let from = course.from.plus_secs(course.step * i64::try_from(step).unwrap_or(0));
            let (left, right) = (x(step, course.steps), x(step + 1, course.steps));
            let _ = write!(
                out,
                "<rect class=\"look\" x=\"{left:.1}\" y=\"{TOP}\" width=\"{:.1}\" height=\"{}\"><title>{from}\n{}</title></rect>",
                right - left,
                HEIGHT - TOP - BOTTOM,
                values.join("\n"),
            );
        }
    }
}

fn axes(course: &Course, top: f64, out: &mut String) {
    for part in 0..=2 {
        let value = top * f64::from(part) / 2.0;
        let at = y(value, top);
        let _ = write!(
            out,
            "<path class=\"grid\" d=\"M{LEFT} {at:.1}H{}\"/><text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            WIDTH - RIGHT,
            LEFT - 6.0,
            at + 4.0,
            short(value)
        );
    }
    let span = course.step * i64::try_from(course.steps).unwrap_or(0);
    for mark in 0..MARKS {
        let part = f64::from(mark) / f64::from(MARKS - 1);
        let at = course.from.plus_secs(span * i64::from(mark) / i64::from(MARKS - 1));
        let anchor = match mark {
            0 => "start",
            mark if mark == MARKS - 1 => "end",
            _ => "middle",
        };
        let _ = write!(
            out,
            "<text x=\"{:.1}\" y=\"{}\" text-anchor=\"{anchor}\">{}</text>",
            LEFT + (WIDTH - LEFT - RIGHT) * part,
            HEIGHT - 6.0,
            moment(at, span)
        );
    }
}

fn x(step: usize, steps: usize) -> f64 {
    LEFT + (WIDTH - LEFT - RIGHT) * step as f64 / steps as f64
}

fn y(value: f64, top: f64) -> f64 {
    HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / top
}

/// What a line is called: its labels, the root namespace left out.
fn name(line: &Line) -> String {
    match &line.labels[..] {
        [] => "all others".to_owned(),
        [namespace, rest @ ..] if !rest.is_empty() && **namespace == *"root" => rest.join(""),
        [namespace, rest @ ..] if !rest.is_empty() => format!("{namespace}/{}", rest.join("")),
        labels => labels.join(""),
    }
}

/// A round number that is not below `value`, and whose half is round too.
fn nice(value: f64) -> f64 {
    let least = value.max(2.0);
    let power = 10f64.powf(least.log10().floor());
    let factor = [1.0, 2.0, 4.0, 6.0, 8.0, 10.0].into_iter().find(|factor| factor * power >= least);
    factor.unwrap_or(10.0) * power
}

/// A value in few letters.
fn short(value: f64) -> String {
    match value {
        _ if value >= 1e6 => format!("{}M", value / 1e6),
        _ if value >= 1e4 => format!("{}k", value / 1e3),
        _ => format!("{value}"),
    }
}

/// A time span for people.
pub(super) fn length(secs: i64) -> String {
    match secs {
        ..120 => format!("{secs} s"),
        120..7_200 => format!("{:.1} min", secs as f64 / 60.0).replace(".0", ""),
        7_200..172_800 => format!("{:.1} h", secs as f64 / 3_600.0).replace(".0", ""),
        _ => format!("{:.1} days", secs as f64 / 86_400.0).replace(".0", ""),
    }
}

/// A moment on the axis: the shorter the span, the finer.
fn moment(at: Timestamp, span: i64) -> String {
    let text = at.to_string();
    let part = match span {
        ..600 => text.get(11..19),
        600..172_800 => text.get(11..16),
        _ => text.get(..10),
    };
    part.unwrap_or(&text).to_owned()
}

#[allow(clippy::cast_sign_loss, clippy::cast_possible_truncation, reason = "counts, far below 2^53")]
fn whole(value: f64) -> u64 {
    value.max(0.0).round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_and_spans_are_round() {
        for (value, top) in [
            (0.0, 2.0),
            (2.0, 2.0),
            (3.0, 4.0),
            (41.0, 60.0),
            (100.0, 100.0),
            (101.0, 200.0),
            (8_100.0, 10_000.0),
        ] {
            assert!((nice(value) - top).abs() < 1e-9, "{value}");
        }
        assert_eq!(
            [80, 600, 5_400, 9_000, 86_400 * 3].map(length),
            ["80 s", "10 min", "90 min", "2.5 h", "3 days"]
        );
    }
}
