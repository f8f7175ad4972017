//! The patterns of `ssh_config` and `known_hosts`: `*`, `?` and a leading `!`. Pure.

/// Whether `text` matches `pattern` as a whole; `*` is any run of characters, `?` exactly one. Case matters: callers lower both sides.
///
/// Linear in practice and never worse than `pattern.len() * text.len()`: a pattern cannot make it loop.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    let (mut p, mut t) = (0, 0);
    // Where to go on when a literal fails: after the last `*`, one character further in the text.
    let mut retry: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                retry = Some((p + 1, t));
                p += 1;
            }
            Some(&c) if c == '?' || c == text[t] => {
                p += 1;
                t += 1;
            }
            Some(_) | None => match retry {
                Some((after_star, from)) => {
                    p = after_star;
                    t = from + 1;
                    retry = Some((after_star, from + 1));
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|&c| c == '*')
}

/// Whether a list of patterns takes `text`: at least one plain pattern matches and no `!pattern` does.
pub(crate) fn list_matches<'a>(patterns: impl IntoIterator<Item = &'a str>, text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    let mut found = false;
    for pattern in patterns {
        match pattern.strip_prefix('!') {
            Some(negated) if matches(&negated.to_ascii_lowercase(), &text) => return false,
            Some(_) => {}
            None => found = found || matches(&pattern.to_ascii_lowercase(), &text),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table() {
        let cases = [
            ("*", "", true),
            ("*", "anything", true),
            ("web?", "web1", true),
            ("web?", "web", false),
            ("web?", "web12", false),
            ("*.example.com", "a.example.com", true),
            ("*.example.com", "example.com", false),
            ("10.0.*.1", "10.0.7.1", true),
            ("a*b*c", "aXXbYYc", true),
            ("a*b*c", "aXXbYY", false),
            ("[127.0.0.1]:22*", "[127.0.0.1]:2222", true),
            ("", "", true),
            ("", "x", false),
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn a_negated_pattern_wins_wherever_it_stands() {
        assert!(list_matches(["*.lan", "!db.lan"], "web.lan"));
        assert!(!list_matches(["*.lan", "!db.lan"], "db.lan"));
        assert!(!list_matches(["!db.lan", "*.lan"], "DB.lan"));
        assert!(!list_matches(["!db.lan"], "web.lan"), "only negations take nothing");
    }
}
