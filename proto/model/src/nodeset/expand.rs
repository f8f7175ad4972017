//! From a pattern to names. The number of names is counted before any of them is made.

use super::MAX_NAMES;

/// The pattern cannot be expanded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} (at character {at} of `{pattern}`); {hint}", at = .at + 1)]
pub struct NodesetError {
    /// The pattern, at most its first 80 characters.
    pub pattern: String,
    /// Byte offset into the pattern.
    pub at: usize,
    /// What is wrong there.
    pub what: String,
    /// What to write instead.
    pub hint: String,
}

/// A piece of one name of the pattern.
enum Piece<'a> {
    Text(&'a str),
    Ranges(Vec<Range>),
}

/// Numbers from `first` to `last`, at least `width` digits each.
struct Range {
    first: u64,
    last: u64,
    width: usize,
}

/// All names of a pattern, in the order in which it gives them; a name that is given twice comes once.
///
/// # Errors
/// A [`NodesetError`] for an empty pattern, brackets that do not match, something in brackets that is no list of ranges, and
/// more than [`MAX_NAMES`] names.
pub fn expand(pattern: &str) -> Result<Vec<String>, NodesetError> {
    Ok(parts(pattern)?.into_iter().map(|(name, _)| name).collect())
}

/// All names of a pattern, each with the number that its last range gave it, without padding: `web[01-02]` gives
/// `("web01", Some("1"))`, so that `10.0.1.{{ n }}` makes an address. None when the name has no range.
///
/// # Errors
/// As [`expand`].
pub fn parts(pattern: &str) -> Result<Vec<(String, Option<String>)>, NodesetError> {
    let error = |at: usize, what: String, hint: &str| NodesetError {
        pattern: pattern.chars().take(80).collect(),
        at,
        what,
        hint: hint.to_owned(),
    };
    let mut out = Vec::new();
    let mut seen = std::collections::HashSet::new();
    for (at, item) in items(pattern) {
        let pieces = pieces(item).map_err(|flaw| error(at + flaw.at, flaw.what, flaw.hint))?;
        let count = pieces.iter().fold(1u64, |n, piece| n.saturating_mul(piece.count()));
        if count.saturating_add(out.len() as u64) > MAX_NAMES as u64 {
            return Err(error(at, format!("more than {MAX_NAMES} names"), "narrow the range"));
        }
        for named in product(&pieces) {
            if seen.insert(named.0.clone()) {
                out.push(named);
            }
        }
    }
    if out.is_empty() {
        return Err(error(0, "no name".to_owned(), "write a name such as `web1` or `web[01-40]`"));
    }
    Ok(out)
}

/// The parts between commas that stand outside of brackets, with their offsets, without surrounding spaces; empty ones are
/// left out, so a comma at the end does no harm.
fn items(pattern: &str) -> Vec<(usize, &str)> {
    let mut out = Vec::new();
    let mut depth = 0u32;
    let mut start = 0;
    for (at, c) in pattern.char_indices().chain([(pattern.len(), ',')]) {
        match c {
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            ',' if depth == 0 || at == pattern.len() => {
                let raw = &pattern[start..at];
                let item = raw.trim();
                if !item.is_empty() {
                    out.push((start + (raw.len() - raw.trim_start().len()), item));
                }
                start = at + 1;
            }
            _ => {} // not our enum: a character
        }
    }
    out
}

struct Flaw {
    at: usize,
    what: String,
    hint: &'static str,
}

fn pieces(item: &str) -> Result<Vec<Piece<'_>>, Flaw> {
    let mut out = Vec::new();
    let mut at = 0;
    while at < item.len() {
        let rest = &item[at..];
        let open = rest.find(['[', ']']).unwrap_or(rest.len());
        if let Some(space) = rest[..open].find(|c: char| c.is_whitespace() || c.is_control()) {
            let what = "a space inside a name".to_owned();
            return Err(Flaw { at: at + space, what, hint: "put `,` between names" });
        }
        if open > 0 {
            out.push(Piece::Text(&rest[..open]));
            at += open;
            continue;
        }
        if rest.starts_with(']') {
            return Err(Flaw { at, what: "`]` without `[`".to_owned(), hint: "write ranges as `[01-40]`" });
        }
        let Some(close) = rest.find(']') else {
            return Err(Flaw { at, what: "`[` without `]`".to_owned(), hint: "write ranges as `[01-40]`" });
        };
        out.push(Piece::Ranges(ranges(&rest[1..close], at + 1)?));
        at += close + 1;
    }
    Ok(out)
}

fn ranges(text: &str, base: usize) -> Result<Vec<Range>, Flaw> {
    let mut out = Vec::new();
    let mut at = base;
    for part in text.split(',') {
        out.push(range(part.trim(), at)?);
        at += part.len() + 1;
    }
    Ok(out)
}

fn range(part: &str, at: usize) -> Result<Range, Flaw> {
    let (first, last) = part.split_once('-').unwrap_or((part, part));
    let (first, last) = (first.trim(), last.trim());
    let (Some(from), Some(to)) = (number(first), number(last)) else {
        let what = if part.is_empty() {
            "an empty range".to_owned()
        } else {
            format!("`{}` is not a range of numbers", clip(part))
        };
        return Err(Flaw { at, what, hint: "write numbers and ranges between commas, such as `[01-40,52]`" });
    };
    if from > to {
        let what = format!("the range `{}` runs backwards", clip(part));
        return Err(Flaw { at, what, hint: "write the smaller number first" });
    }
    let padded = first.len() > 1 && first.starts_with('0');
    if last.len() > 1 && last.starts_with('0') && last.len() != first.len() {
        let what = format!("the two ends of `{}` are padded differently", clip(part));
        return Err(Flaw { at, what, hint: "write both with as many digits, such as `[01-40]`" });
    }
    Ok(Range { first: from, last: to, width: if padded { first.len() } else { 0 } })
}

/// At most 18 digits, so that arithmetic cannot overflow.
fn number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.len() <= 18 && text.bytes().all(|b| b.is_ascii_digit());
    if digits { text.parse().ok() } else { None }
}

fn clip(text: &str) -> String {
    text.chars().take(24).collect()
}

impl Piece<'_> {
    fn count(&self) -> u64 {
        match self {
            Self::Text(_) => 1,
            Self::Ranges(ranges) => ranges.iter().fold(0, |n: u64, r| n.saturating_add(r.last - r.first + 1)),
        }
    }
}

/// Every combination, the last range moving fastest.
fn product(pieces: &[Piece<'_>]) -> Vec<(String, Option<String>)> {
    let mut names = vec![(String::new(), None)];
    for piece in pieces {
        match piece {
            Piece::Text(text) => names.iter_mut().for_each(|(name, _)| name.push_str(text)),
            Piece::Ranges(ranges) => {
                names =
                    names.iter().flat_map(|(name, _)| ranges.iter().flat_map(move |range| range.names(name))).collect();
            }
        }
    }
    names
}

impl Range {
    fn names<'a>(&'a self, before: &'a str) -> impl Iterator<Item = (String, Option<String>)> + 'a {
        (self.first..=self.last).map(move |n| (format!("{before}{n:0width$}", width = self.width), Some(n.to_string())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(pattern: &str) -> String {
        expand(pattern).expect(pattern).join(" ")
    }

    #[test]
    fn patterns_give_names_in_their_order() {
        assert_eq!(names("web[01-03,52]"), "web01 web02 web03 web52");
        assert_eq!(names("web[1-2].x[1-2]"), "web1.x1 web1.x2 web2.x1 web2.x2");
        assert_eq!(names("r[008-011]"), "r008 r009 r010 r011");
        assert_eq!(names("n[98-101]"), "n98 n99 n100 n101");
        assert_eq!(names("n[01-100]").split(' ').next_back(), Some("n100"));
        assert_eq!(names("10.0.0.[1-2], db1 ,"), "10.0.0.1 10.0.0.2 db1");
        assert_eq!(names("a,b,a"), "a b");
        assert_eq!(names("[1-2]"), "1 2");
        assert_eq!(names("deploy@web[1-2]:2222"), "deploy@web1:2222 deploy@web2:2222");
        assert_eq!(expand("h[1-1000].[1-100]").map(|n| n.len()), Ok(100_000));
    }

    #[test]
    fn parts_give_the_last_number_without_padding() {
        let parts = parts("dc2-web[01-02],db").expect("a pattern");
        let shown: Vec<_> = parts.iter().map(|(name, n)| (name.as_str(), n.as_deref())).collect();
        assert_eq!(shown, [("dc2-web01", Some("1")), ("dc2-web02", Some("2")), ("db", None)]);
    }

    #[test]
    fn errors_point_and_help() {
        let all = [
            "",
            " , ",
            "web[1-",
            "web1]",
            "web[]",
            "web[a-c]",
            "web[5-1]",
            "web[1-01]",
            "x,web[1,,2]",
            "a b",
            "n[1-999999999]",
            "n[1-9999999999999999999]",
            "[[1]]",
            "h[1-1000][1-101]",
        ]
        .map(|pattern| expand(pattern).expect_err(pattern).to_string())
        .join("\n");
        expect_test::expect![[r#"
            no name (at character 1 of ``); write a name such as `web1` or `web[01-40]`
            no name (at character 1 of ` , `); write a name such as `web1` or `web[01-40]`
            `[` without `]` (at character 4 of `web[1-`); write ranges as `[01-40]`
            `]` without `[` (at character 5 of `web1]`); write ranges as `[01-40]`
            an empty range (at character 5 of `web[]`); write numbers and ranges between commas, such as `[01-40,52]`
            `a-c` is not a range of numbers (at character 5 of `web[a-c]`); write numbers and ranges between commas, such as `[01-40,52]`
            the range `5-1` runs backwards (at character 5 of `web[5-1]`); write the smaller number first
            the two ends of `1-01` are padded differently (at character 5 of `web[1-01]`); write both with as many digits, such as `[01-40]`
            an empty range (at character 9 of `x,web[1,,2]`); write numbers and ranges between commas, such as `[01-40,52]`
            a space inside a name (at character 2 of `a b`); put `,` between names
            more than 100000 names (at character 1 of `n[1-999999999]`); narrow the range
            `1-9999999999999999999` is not a range of numbers (at character 3 of `n[1-9999999999999999999]`); write numbers and ranges between commas, such as `[01-40,52]`
            `[1` is not a range of numbers (at character 2 of `[[1]]`); write numbers and ranges between commas, such as `[01-40,52]`
            more than 100000 names (at character 1 of `h[1-1000][1-101]`); narrow the range"#]]
        .assert_eq(&all);
    }
}
