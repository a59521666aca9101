//! The form of a query protocol call.

use std::collections::BTreeMap;

use super::refusal::Refusal;

/// Fields by name.
#[derive(Debug)]
pub struct Form(BTreeMap<String, String>);

impl Form {
    /// Reads a form; any bytes are one.
    pub fn read(body: &[u8]) -> Self {
        Form(form_urlencoded::parse(body).into_owned().collect())
    }

    /// A field, unless it is empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// A field that must be there.
    pub fn required(&self, name: &str) -> Result<&str, Refusal> {
        self.get(name).ok_or_else(|| {
            let message = format!("Invalid parameter: {name}");
            Refusal::new("InvalidParameterException", "InvalidParameter", message)
        })
    }

    /// The entries of a map: `<prefix>.entry.1.key`, `<prefix>.entry.1.value` and so on.
    pub fn map(&self, prefix: &str) -> BTreeMap<String, String> {
        let entry = |number: usize| {
            let key = self.get(&format!("{prefix}.entry.{number}.key"))?;
            let value = self.get(&format!("{prefix}.entry.{number}.value")).unwrap_or_default();
            Some((key.to_owned(), value.to_owned()))
        };
        (1..).map_while(entry).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_and_escapes_are_read() {
        let form = Form::read(b"A.entry.1.key=FifoTopic&A.entry.1.value=true&Message=a%20%2B+b&Empty=");
        assert_eq!(form.map("A"), BTreeMap::from([("FifoTopic".to_owned(), "true".to_owned())]));
        assert_eq!(form.get("Message"), Some("a + b"));
        assert!(form.required("Empty").is_err());
    }
}
