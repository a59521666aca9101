//! Label text: written once, escaped once, used for every series of its subject.

/// Labels as they stand between the braces, each value escaped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labels(String);

impl Labels {
    /// These labels in this order; names must be valid and distinct, values may be any text.
    pub fn of<'a>(labels: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut all = Self::default();
        for (name, value) in labels {
            all.push(name, value);
        }
        all
    }

    /// One more label.
    pub fn push(&mut self, name: &str, value: &str) {
        if !self.0.is_empty() {
            self.0.push(',');
        }
        self.0.push_str(name);
        self.0.push_str("=\"");
        escape(&mut self.0, value);
        self.0.push('"');
    }

    /// The text between the braces.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Backslash, quote and line feed are all that either format escapes in a label value.
fn escape(out: &mut String, value: &str) {
    for c in value.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '"' => out.push_str("\\\""),
            '\n' => out.push_str("\\n"),
            other => out.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Written from the format's description, not from the code above.
    fn unescape(text: &str) -> Option<String> {
        let mut out = String::new();
        let mut chars = text.chars();
        while let Some(c) = chars.next() {
            match c {
                '"' | '\n' => return None,
                '\\' => out.push(match chars.next()? {
                    'n' => '\n',
                    same @ ('\\' | '"') => same,
                    _ => return None,
                }),
                other => out.push(other),
            }
        }
        Some(out)
    }

    proptest! {
        #[test]
        fn any_label_value_comes_back(value in any::<String>(), tricky in "[\\\\\"\nn{},= é\u{0}]{0,20}") {
            for value in [value, tricky] {
                let labels = Labels::of([("l", value.as_str())]);
                let inner = labels.as_str().strip_prefix("l=\"").unwrap().strip_suffix('"').unwrap();
                prop_assert_eq!(unescape(inner), Some(value));
            }
        }
    }
}
