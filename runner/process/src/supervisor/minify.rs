//! Joins a readable shell program into one line.
//!
//! The line travels in single quotes through a login shell of unknown kind, and a newline inside quotes is an error
//! in csh. Only whole-line comments are known; a line that ends in an operator or an opening word is joined with a
//! space, any other with a semicolon. A test checks that the result parses and holds nothing a login shell could touch.

/// Endings after which a semicolon would be a syntax error.
const OPEN: [&str; 12] = ["then", "do", "else", "in", "{", "(", ";;", "|", "&&", "||", "&", ";"];

/// The program as one line.
pub(crate) fn minify(parts: &[&str]) -> String {
    let mut line = String::new();
    let mut joint = "";
    for text in parts.iter().flat_map(|part| part.lines()).map(str::trim) {
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        line.push_str(joint);
        line.push_str(text);
        let last = text.rsplit(' ').next().unwrap_or(text);
        let open = OPEN.contains(&last) || text.ends_with(";;") || text.ends_with("(");
        joint = if open { " " } else { ";" };
    }
    line
}

#[cfg(test)]
mod tests {
    use super::minify;

    #[test]
    fn lines_are_joined_so_that_the_program_stays_the_same() {
        let text = "# note\nif a; then\nb\nelse\n  c\nfi\n\ncase $x in\n(a) b ;;\nesac\nf() {\ng &\nh\n}\n";
        let want = "if a; then b;else c;fi;case $x in (a) b ;; esac;f() { g & h;}";
        assert_eq!(minify(&[text]), want);
    }
}
