//! Errors that point: file, line, column, the offending text and a hint.
//!
//! Everything that people write is checked with these types, so that an error looks the same whether it was found while
//! reading the YAML or while resolving what it means:
//!
//! ```text
//! job.yaml:7:5: unknown key `paralel`
//!   7 |     paralel: 50
//!     |     ^^^^^^^
//!   hint: did you mean `parallel`?
//! ```
//!
//! Nothing here fails. A place outside the text gives a diagnostic without a snippet.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Errors shown for one file; the rest is only counted, because nobody reads a thousand errors.
pub const MAX_SHOWN: usize = 50;

/// Characters of the offending line that are shown around the place, so that a line of a megabyte stays readable.
const SNIPPET_WIDTH: usize = 160;

/// A text with the name under which the user knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// Its name as the user typed it.
    pub name: String,
    /// Its content.
    pub text: String,
}

/// A stretch of one line of a text, in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Place {
    /// Line, from 1.
    pub line: u32,
    /// First character in the line, from 1.
    pub column: u32,
    /// Number of characters, at least 1.
    pub len: u32,
}

/// One error, with where it is and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnostic {
    /// Name of the file; may be empty when the input was no file.
    pub file: String,
    /// Where in it; none when the error is about the whole file or about something that is missing.
    pub place: Option<Place>,
    /// What is wrong: lower case, no full stop.
    pub message: String,
    /// The offending line.
    pub snippet: Option<String>,
    /// What to write instead.
    pub hint: Option<String>,
}

/// Errors in the order in which they were found. As the `Err` of a result it is never empty; as a collector it may be.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Diagnostics(pub Vec<Diagnostic>);

/// A value, or the errors that stand in its way.
pub type Diagnosed<T> = Result<T, Diagnostics>;

/// A value and where it was written, so that checks of its meaning can point at it.
///
/// Two of them are equal when their values are: where something was written does not change what it means.
#[derive(Debug, Clone, Copy, Default)]
pub struct Located<T> {
    /// The value.
    pub value: T,
    /// Where it was written; none when it came from elsewhere, such as the command line.
    pub place: Option<Place>,
}

/// The candidate that is closest to `word`, if one is close enough to have been meant.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = word.to_lowercase();
    candidates
        .into_iter()
        .filter(|candidate| *candidate != word)
        .map(|candidate| (strsim::damerau_levenshtein(&wanted, &candidate.to_lowercase()), candidate))
        .filter(|(distance, candidate)| *distance <= slips(&wanted, candidate) || is_part(&wanted, candidate))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Typing mistakes that still let a word be recognised: none in one letter, two in a long word.
fn slips(word: &str, candidate: &str) -> usize {
    match word.chars().count().min(candidate.chars().count()) {
        0 | 1 => 0,
        2..=4 => 1,
        _ => 2, // not our enum: a count
    }
}

/// Whether one is the beginning of the other and long enough for that to be no accident.
fn is_part(word: &str, candidate: &str) -> bool {
    let candidate = candidate.to_lowercase();
    word.len() >= 3 && candidate.len() >= 3 && (candidate.starts_with(word) || word.starts_with(&candidate))
}

/// "did you mean" when something is near, else the list of what is allowed.
pub fn hint_for(word: &str, allowed: &[&str]) -> Option<String> {
    if let Some(near) = nearest(word, allowed.iter().copied()) {
        return Some(format!("did you mean `{near}`?"));
    }
    (!allowed.is_empty()).then(|| format!("allowed: {}", allowed.join(", ")))
}

impl SourceFile {
    /// A text under a name.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self { name: name.into(), text: text.into() }
    }

    /// A line of the text without its line end; none when there is no such line.
    pub fn line(&self, number: u32) -> Option<&str> {
        let index = usize::try_from(number).ok()?.checked_sub(1)?;
        self.text.lines().nth(index).map(|line| line.strip_prefix('\u{feff}').unwrap_or(line))
    }

    /// An error at a place of this file.
    pub fn error(&self, place: Option<Place>, message: impl Into<String>) -> Diagnostic {
        let snippet = place.and_then(|p| self.line(p.line)).map(str::to_owned);
        Diagnostic { file: self.name.clone(), place, message: message.into(), snippet, hint: None }
    }
}

impl Diagnostic {
    /// The same error with a hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same error with a hint, if there is one.
    #[must_use]
    pub fn maybe_hint(mut self, hint: Option<String>) -> Self {
        self.hint = hint;
        self
    }

    /// The same error without the offending line, for lines that hold a secret.
    #[must_use]
    pub fn without_snippet(mut self) -> Self {
        self.snippet = None;
        self
    }
}

impl Diagnostics {
    /// No error yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// One more.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.0.push(diagnostic);
    }

    /// All of the other's as well.
    pub fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Each in turn.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.0.iter()
    }

    /// `value` when there is no error.
    ///
    /// # Errors
    /// What was collected, if that is anything.
    pub fn or<T>(self, value: T) -> Diagnosed<T> {
        if self.is_empty() { Ok(value) } else { Err(self) }
    }
}

impl From<Diagnostic> for Diagnostics {
    fn from(one: Diagnostic) -> Self {
        Self(vec![one])
    }
}

impl IntoIterator for Diagnostics {
    type Item = Diagnostic;
    type IntoIter = std::vec::IntoIter<Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl std::error::Error for Diagnostic {}

impl std::error::Error for Diagnostics {}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.file.is_empty() {
            write!(f, "{}:", self.file)?;
        }
        if let Some(place) = self.place {
            write!(f, "{}:{}:", place.line, place.column)?;
        }
        let gap = if self.file.is_empty() && self.place.is_none() { "" } else { " " };
        write!(f, "{gap}{}", self.message)?;
        if let (Some(place), Some(line)) = (self.place, &self.snippet) {
            snippet(f, place, line)?;
        }
        if let Some(hint) = &self.hint {
            write!(f, "\n  hint: {hint}")?;
        }
        Ok(())
    }
}

/// The line and the mark under it. Tabs and control characters become spaces, so that the mark stands where it should.
fn snippet(f: &mut fmt::Formatter<'_>, place: Place, line: &str) -> fmt::Result {
    let number = place.line.to_string();
    let at = place.column.saturating_sub(1) as usize;
    let from = at.saturating_sub(SNIPPET_WIDTH / 2);
    let shown: String =
        line.chars().skip(from).take(SNIPPET_WIDTH).map(|c| if c.is_control() { ' ' } else { c }).collect();
    let width = shown.chars().count();
    let indent = (at - from).min(width);
    let marks = (place.len as usize).clamp(1, width.saturating_sub(indent).max(1));
    write!(f, "\n  {number} | {}", shown.trim_end())?;
    write!(f, "\n  {:pad$} | {:indent$}{}", "", "", "^".repeat(marks), pad = number.len())
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, diagnostic) in self.0.iter().take(MAX_SHOWN).enumerate() {
            let gap = if index == 0 { "" } else { "\n" };
            write!(f, "{gap}{diagnostic}")?;
        }
        match self.0.len().checked_sub(MAX_SHOWN) {
            Some(more) if more > 0 => write!(f, "\nand {more} more errors"),
            Some(_) | None => Ok(()),
        }
    }
}

impl<T> Located<T> {
    /// A value that was not written in a file.
    pub const fn nowhere(value: T) -> Self {
        Self { value, place: None }
    }

    /// A value with its place.
    pub const fn at(value: T, place: Option<Place>) -> Self {
        Self { value, place }
    }

    /// Another value at the same place.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Located<U> {
        Located { value: f(self.value), place: self.place }
    }

    /// A reference to the value, at the same place.
    pub const fn as_ref(&self) -> Located<&T> {
        Located { value: &self.value, place: self.place }
    }
}

impl<T: PartialEq> PartialEq for Located<T> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl<T: Eq> Eq for Located<T> {}

impl<T> From<T> for Located<T> {
    fn from(value: T) -> Self {
        Self::nowhere(value)
    }
}

impl From<&str> for Located<String> {
    fn from(value: &str) -> Self {
        Self::nowhere(value.to_owned())
    }
}

impl<T> std::ops::Deref for Located<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: fmt::Display> fmt::Display for Located<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)
    }
}

impl<T: Serialize> Serialize for Located<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value.serialize(serializer)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Located<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = serde_saphyr::Spanned::<T>::deserialize(deserializer)?;
        Ok(Self { value: spanned.value, place: Place::of(spanned.referenced) })
    }
}

impl Place {
    /// What the YAML reader knows about a place; none when it knows nothing.
    pub(crate) fn of(location: serde_saphyr::Location) -> Option<Self> {
        let line = u32::try_from(location.line()).ok().filter(|line| *line > 0)?;
        let column = u32::try_from(location.column()).ok().filter(|column| *column > 0)?;
        let len = u32::try_from(location.span().len()).unwrap_or(1).max(1);
        Some(Self { line, column, len })
    }
}

impl<T: JsonSchema> JsonSchema for Located<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        T::schema_name()
    }

    fn schema_id() -> std::borrow::Cow<'static, str> {
        T::schema_id()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        T::json_schema(generator)
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn the_nearest_word_is_one_that_could_have_been_meant() {
        let keys = ["parallel", "phases", "targets", "name", "on", "on_failure"];
        let near = |word| nearest(word, keys);
        assert_eq!(near("paralel"), Some("parallel"));
        assert_eq!(near("Targets"), Some("targets"));
        assert_eq!(near("phase"), Some("phases"));
        assert_eq!(near("nmae"), Some("name"));
        assert_eq!(near("zzzz"), None);
        assert_eq!(near(""), None);
        assert_eq!(nearest("x", ["a", "b"]), None);
    }

    #[test]
    fn a_mark_stands_under_what_it_marks() {
        let src = SourceFile::new("job.yaml", "a: ü\n\tb: ✗✗✗ end\n");
        let at = |line, column, len| src.error(Some(Place { line, column, len }), "here").hint("look").to_string();
        expect![[r#"
            job.yaml:2:5: here
              2 |  b: ✗✗✗ end
                |     ^^^
              hint: look"#]]
        .assert_eq(&at(2, 5, 3));
        expect![[r#"
            job.yaml:9:9: here
              hint: look"#]]
        .assert_eq(&at(9, 9, 9));
        expect![[r#"
            job.yaml:1:4: here
              1 | a: ü
                |    ^
              hint: look"#]]
        .assert_eq(&at(1, 4, 4000));
        assert_eq!(src.error(None, "nowhere").to_string(), "job.yaml: nowhere");
        assert_eq!(SourceFile::new("", "").error(None, "nothing").to_string(), "nothing");
    }

    #[test]
    fn the_mark_of_a_long_line_is_kept_in_sight() {
        let src = SourceFile::new("job.yaml", format!("{}here{}", "x".repeat(5000), "y".repeat(5000)));
        let shown = src.error(Some(Place { line: 1, column: 5001, len: 4 }), "wrong").to_string();
        let lines: Vec<&str> = shown.lines().collect();
        let mark = lines[2].find("^^^^").expect("a mark");
        assert_eq!(&lines[1][mark..mark + 4], "here");
        assert!(lines[1].chars().count() < 200);
    }

    #[test]
    fn many_errors_are_counted_rather_than_shown() {
        let src = SourceFile::new("job.yaml", "");
        let all = Diagnostics((0..60).map(|_| src.error(None, "wrong")).collect());
        let shown = all.to_string();
        assert_eq!(shown.lines().count(), 51);
        assert!(shown.ends_with("and 10 more errors"), "{shown}");
    }
}
