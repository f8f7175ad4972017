//! `{{ n }}` and `{{ name }}` in the settings of hosts.
//!
//! What a text reads is found once per text, not once per host. A text that reads neither name is not touched: in `vars` it is
//! a template for the steps, elsewhere it is an error, because nothing would ever fill it in.

use std::collections::{BTreeSet, HashMap};

use serde_json::{Value, json};

use crate::diagnostic::{Diagnostics, Place, SourceFile};
use crate::template::Engine;

/// Fills in what is known about a host, and collects errors: one for each text, however many hosts share it.
pub(super) struct Filler<'a> {
    src: &'a SourceFile,
    engine: Engine,
    kinds: HashMap<String, Kind>,
    blamed: BTreeSet<(Option<Place>, String)>,
    pub(super) found: Diagnostics,
}

/// The host that texts are filled in for.
pub(super) struct Subject<'a> {
    pub(super) name: &'a str,
    pub(super) number: Option<&'a str>,
}

#[derive(Clone)]
enum Kind {
    /// No template at all.
    Plain,
    /// Reads only the host's number and name.
    Host,
    /// Reads other names only.
    Later,
    /// Cannot be used: the message and the hint.
    Broken(String, Option<String>),
}

impl<'a> Filler<'a> {
    pub(super) fn new(src: &'a SourceFile) -> Self {
        Self { src, engine: Engine::new(), kinds: HashMap::new(), blamed: BTreeSet::new(), found: Diagnostics::new() }
    }

    /// One error at a place, unless the same was reported for another host.
    pub(super) fn blame(&mut self, place: Option<Place>, message: String, hint: Option<String>) {
        if self.blamed.insert((place, message.clone())) {
            self.found.push(self.src.error(place, message).maybe_hint(hint));
        }
    }

    /// A setting, which must be known when the inventory is read.
    pub(super) fn setting(&mut self, text: &str, place: Option<Place>, subject: &Subject<'_>) -> String {
        match self.kind(text) {
            Kind::Plain => text.to_owned(),
            Kind::Host => self.fill(text, place, subject),
            Kind::Later => {
                let hint = "here only `{{ n }}`, the number of the host, and `{{ name }}` are known".to_owned();
                self.blame(place, "this template cannot be filled in".to_owned(), Some(hint));
                text.to_owned()
            }
            Kind::Broken(message, hint) => {
                self.blame(place, message, hint);
                text.to_owned()
            }
        }
    }

    /// A text that may also be a template for later.
    fn text(&mut self, text: &str, place: Option<Place>, subject: &Subject<'_>) -> String {
        match self.kind(text) {
            Kind::Later => text.to_owned(),
            Kind::Plain | Kind::Host | Kind::Broken(..) => self.setting(text, place, subject),
        }
    }

    /// A variable: every text inside it.
    pub(super) fn value(&mut self, value: &Value, place: Option<Place>, subject: &Subject<'_>) -> Value {
        match value {
            Value::String(text) => self.text(text, place, subject).into(),
            Value::Array(items) => items.iter().map(|item| self.value(item, place, subject)).collect(),
            Value::Object(map) => {
                map.iter().map(|(key, item)| (key.clone(), self.value(item, place, subject))).collect()
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
        }
    }

    fn fill(&mut self, text: &str, place: Option<Place>, subject: &Subject<'_>) -> String {
        let mut ctx = json!({ "name": subject.name });
        if let Some(number) = subject.number {
            // Numbers too long for arithmetic stay texts.
            ctx["n"] = number.parse::<u64>().map_or_else(|_| number.into(), Value::from);
        } else if self.reads_number(text) {
            let message = format!("the host `{}` has no number for `n`", subject.name);
            self.blame(place, message, Some("write a range such as `web[01-40]`, or use `{{ name }}`".to_owned()));
            return text.to_owned();
        }
        match self.engine.render(text, &ctx) {
            Ok(filled) => filled,
            Err(error) => {
                self.blame(place, error.to_string(), None);
                text.to_owned()
            }
        }
    }

    fn reads_number(&self, text: &str) -> bool {
        self.engine.check(text).is_ok_and(|references| references.roots.contains("n"))
    }

    fn kind(&mut self, text: &str) -> Kind {
        if !text.contains("{{") && !text.contains("{%") {
            return Kind::Plain;
        }
        if let Some(kind) = self.kinds.get(text) {
            return kind.clone();
        }
        let kind = self.classify(text);
        self.kinds.insert(text.to_owned(), kind.clone());
        kind
    }

    fn classify(&self, text: &str) -> Kind {
        let references = match self.engine.check(text) {
            Ok(references) => references,
            Err(error) => return Kind::Broken(error.to_string(), None),
        };
        let (own, other): (Vec<&String>, Vec<&String>) =
            references.roots.iter().partition(|root| *root == "n" || *root == "name");
        match (own.first(), other.first()) {
            (None, _) => Kind::Later,
            (Some(_), None) => Kind::Host,
            (Some(own), Some(other)) => {
                let message = format!("`{own}` and `{other}` cannot be read in one text");
                let hint = format!(
                    "`{own}` is known when the inventory is read, `{other}` only when a step runs; use two variables"
                );
                Kind::Broken(message, Some(hint))
            }
        }
    }
}
