//! Prometheus text, as `sys/metrics` gives it: to samples, borrowed from the text.
//!
//! Only what is needed here: names, labels and values. The parsers to be had
//! copy every label of every line, and a large cluster gives tens of thousands.

/// One line: a series and its value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Sample<'a> {
    /// Metric name.
    pub(super) name: &'a str,
    /// Between the braces, as written.
    labels: &'a str,
    /// Its value; may be NaN.
    pub(super) value: f64,
}

/// Every sample of the text. A line that is none is left out.
pub(super) fn samples(text: &str) -> impl Iterator<Item = Sample<'_>> {
    text.lines().filter_map(parse_line)
}

impl Sample<'_> {
    /// Value of a label, unescaped.
    pub(super) fn label(&self, wanted: &str) -> Option<String> {
        let mut rest = self.labels;
        loop {
            let (name, after) = rest.split_once("=\"")?;
            let end = quoted_end(after)?;
            if name.trim_start_matches([',', ' ']).trim_end() == wanted {
                return Some(unescape(&after[..end]));
            }
            rest = &after[end + 1..];
        }
    }
}

fn parse_line(line: &str) -> Option<Sample<'_>> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return None;
    }
    let name_end = line.find(|c: char| c == '{' || c.is_whitespace())?;
    let (name, rest) = line.split_at(name_end);
    if name.is_empty() {
        return None;
    }
    let (labels, rest) = match rest.strip_prefix('{') {
        Some(inside) => {
            let end = braces_end(inside)?;
            (&inside[..end], &inside[end + 1..])
        }
        None => ("", rest),
    };
    // A time stamp may follow the value.
    let value = rest.split_whitespace().next()?;
    Some(Sample { name, labels, value: parse_value(value)? })
}

fn parse_value(value: &str) -> Option<f64> {
    match value {
        "+Inf" => Some(f64::INFINITY),
        "-Inf" => Some(f64::NEG_INFINITY),
        "NaN" => Some(f64::NAN),
        _ => value.parse().ok(),
    }
}

/// Where the closing brace is: braces inside quotes are part of a value.
fn braces_end(inside: &str) -> Option<usize> {
    let mut at = 0;
    loop {
        let rest = &inside[at..];
        let next = rest.find(['"', '}'])?;
        if rest.as_bytes()[next] == b'}' {
            return Some(at + next);
        }
        at += next + 1 + quoted_end(&rest[next + 1..])? + 1;
    }
}

/// Where the quote that ends a value is.
fn quoted_end(value: &str) -> Option<usize> {
    let mut escaped = false;
    value.bytes().position(|byte| match byte {
        _ if escaped => {
            escaped = false;
            false
        }
        b'\\' => {
            escaped = true;
            false
        }
        _ => byte == b'"',
    })
}

fn unescape(value: &str) -> String {
    let mut plain = String::with_capacity(value.len());
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('n') => plain.push('\n'),
                Some(other) => plain.push(other),
                None => {}
            },
            _ => plain.push(c),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_labels_and_values() {
        let text = "# HELP a a\n# TYPE a gauge\na 1\n\
            b{x=\"1\",y=\"a}b\\\"c\\\\d\\ne\"} 2.5e+06 1795462882000\n\
            c{} +Inf\nd NaN\nbroken\ne{x=\"1 7\nf{x=\"1\"} seven\n";
        let all: Vec<_> = samples(text).collect();
        let names: Vec<_> = all.iter().map(|s| s.name).collect();
        assert_eq!(names, ["a", "b", "c", "d"]);
        assert_eq!(all[1].label("x").as_deref(), Some("1"));
        assert_eq!(all[1].label("y").as_deref(), Some("a}b\"c\\d\ne"));
        assert_eq!(all[1].label("z"), None);
        assert!((all[1].value - 2.5e6).abs() < f64::EPSILON);
        assert!(all[2].value.is_infinite() && all[3].value.is_nan());
    }

    proptest! {
        #[test]
        fn never_panics(text in "\\PC*") {
            for sample in samples(&text) {
                let _ = sample.label("x");
            }
        }

        #[test]
        fn every_label_value_comes_back(value in "[ -~]*") {
            let escaped = value.replace('\\', "\\\\").replace('"', "\\\"");
            let text = format!("m{{a=\"{escaped}\",b=\"x\"}} 7\n");
            let sample = samples(&text).next().expect("a sample");
            prop_assert_eq!(sample.label("a"), Some(value));
            prop_assert_eq!(sample.label("b"), Some("x".to_owned()));
        }
    }
}
