//! The text format that Prometheus reads.
//! <https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format>

use std::fmt::{Display, Write};

use super::instruments::Histogram;

/// What a metric is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Only rises.
    Counter,
    /// Rises and falls.
    Gauge,
    /// Observations in buckets.
    Histogram,
}

/// The page under construction.
#[derive(Debug, Default)]
pub struct Exposition {
    text: String,
}

impl Exposition {
    /// The content type of the page.
    pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

    /// Begins a metric; its samples follow.
    pub fn metric(&mut self, name: &str, kind: Kind, help: &str) {
        let kind = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        let help = help.replace('\\', "\\\\").replace('\n', "\\n");
        // Writing to a String cannot fail.
        let _ = writeln!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    /// Adds a sample.
    pub fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        self.text.push_str(name);
        for (place, (label, value)) in labels.iter().enumerate() {
            let value = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            let open = if place == 0 { '{' } else { ',' };
            let _ = write!(self.text, "{open}{label}=\"{value}\"");
        }
        let close = if labels.is_empty() { "" } else { "}" };
        let _ = writeln!(self.text, "{close} {value}");
    }

    /// Adds a metric that is one number.
    pub fn single(&mut self, name: &str, kind: Kind, help: &str, value: impl Display) {
        self.metric(name, kind, help);
        self.sample(name, &[], value);
    }

    /// Adds the samples of a histogram.
    pub fn histogram(&mut self, name: &str, labels: &[(&str, &str)], histogram: &Histogram) {
        let mut last = 0;
        for (bound, below) in histogram.cumulative() {
            let bound = bound.map_or_else(|| "+Inf".to_owned(), |bound| bound.to_string());
            let labels = [labels, &[("le", bound.as_str())]].concat();
            self.sample(&format!("{name}_bucket"), &labels, below);
            last = below;
        }
        self.sample(&format!("{name}_sum"), labels, histogram.sum_seconds());
        // Not counted anew: it must equal the last bucket.
        self.sample(&format!("{name}_count"), labels, last);
    }

    /// The page.
    pub fn into_text(self) -> String {
        self.text
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_page_as_the_format_wants_it() {
        let mut page = Exposition::default();
        page.single("careweave_things", Kind::Gauge, "One\nand two", 3);
        page.metric("careweave_calls_total", Kind::Counter, "Calls");
        page.sample("careweave_calls_total", &[("route", "/a\"b\\"), ("status", "2xx")], 1.5);
        let took = Histogram::default();
        for millis in [1, 3, 90_000] {
            took.observe(Duration::from_millis(millis));
        }
        page.metric("careweave_call_seconds", Kind::Histogram, "Time");
        page.histogram("careweave_call_seconds", &[("route", "/a")], &took);
        let text = page.into_text();
        assert!(text.starts_with(
            "# HELP careweave_things One\\nand two\n# TYPE careweave_things gauge\n\
             careweave_things 3\n"
        ));
        for line in [
            r#"careweave_calls_total{route="/a\"b\\",status="2xx"} 1.5"#,
            r#"careweave_call_seconds_bucket{route="/a",le="0.001"} 1"#,
            r#"careweave_call_seconds_bucket{route="/a",le="0.005"} 2"#,
            r#"careweave_call_seconds_bucket{route="/a",le="60"} 2"#,
            r#"careweave_call_seconds_bucket{route="/a",le="+Inf"} 3"#,
            r#"careweave_call_seconds_sum{route="/a"} 90.004"#,
            r#"careweave_call_seconds_count{route="/a"} 3"#,
        ] {
            assert!(text.lines().any(|l| l == line), "{line} is missing in\n{text}");
        }
    }
}
