//! Documentation that leads somewhere: links resolve, examples and decisions are listed.

use super::code::{line_of, pattern};
use super::finding::Finding;
use super::tree::{File, Tree};

const EXAMPLES: &str = "examples/";
const EXAMPLE_LISTS: &[&str] = &["README.md", "examples/README.md"];
const DECISIONS: &str = "docs/decisions/";
const DECISION_LIST: &str = "docs/architecture.md";

pub(super) fn links(tree: &Tree) -> Vec<Finding> {
    let inline = pattern(r#"\]\(<?([^)\s>]+)>?(?:\s+"[^"]*")?\)"#);
    let reference = pattern(r"(?m)^\s{0,3}\[[^\]^]+\]:\s*(\S+)");
    let mut found = Vec::new();
    for file in tree.with_suffix(".md") {
        let prose = without_code(&file.text);
        for captures in inline.captures_iter(&prose).chain(reference.captures_iter(&prose)) {
            let Some(target) = captures.get(1) else {
                continue;
            };
            if let Some(what) = broken(tree, file, target.as_str()) {
                found.push(Finding::new(
                    &file.path,
                    line_of(&prose, target.start()),
                    what,
                    "correct the link, or write what it should lead to",
                ));
            }
        }
    }
    found
}

pub(super) fn examples(tree: &Tree) -> Vec<Finding> {
    let numbered = pattern(r"^\d\d+-");
    let lists: Vec<&str> =
        EXAMPLE_LISTS.iter().filter_map(|path| tree.file(path)).map(|file| file.text.as_str()).collect();
    let mut found: Vec<Finding> = Vec::new();
    let mut seen: Vec<&str> = Vec::new();
    for file in tree.files.iter().filter(|file| file.path.starts_with(EXAMPLES) && file.name() != "README.md") {
        // A folder counts as one example.
        let name = file.path[EXAMPLES.len()..].split('/').next().unwrap_or_default();
        if seen.contains(&name) {
            continue;
        }
        seen.push(name);
        if !numbered.is_match(name) {
            found.push(Finding::new(
                &file.path,
                1,
                format!("`{name}` has no number"),
                "call it like 07-what-it-shows.yaml, so that examples are read in order",
            ));
        }
        if !lists.iter().any(|text| text.contains(name)) {
            found.push(Finding::new(
                &file.path,
                1,
                format!("`{name}` is not listed"),
                "add a line with its name and what it shows to examples/README.md",
            ));
        }
    }
    found
}

pub(super) fn decisions(tree: &Tree) -> Vec<Finding> {
    let list = tree.file(DECISION_LIST).map_or("", |file| file.text.as_str());
    let pages = tree.with_suffix(".md").filter(|file| file.path.starts_with(DECISIONS) && file.name() != "README.md");
    let missing = pages.filter(|file| !list.contains(file.name()));
    missing
        .map(|file| Finding::new(&file.path, 1, "no link leads to this decision", "list it in docs/architecture.md"))
        .collect()
}

/// Blanks fenced blocks and inline code, where brackets are not links.
fn without_code(text: &str) -> String {
    let span = pattern(r"`[^`\n]*`");
    let mut fenced = false;
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let fence = line.trim_start().starts_with("```") || line.trim_start().starts_with("~~~");
        if fence || fenced {
            out.extend(line.chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
            fenced ^= fence;
        } else {
            out.push_str(&span.replace_all(line, |found: &regex::Captures<'_>| " ".repeat(found[0].len())));
        }
    }
    out
}

/// Why a link of this file leads nowhere; `None` when it does, or when it leads out of the repository by URL.
fn broken(tree: &Tree, file: &File, link: &str) -> Option<String> {
    if link.contains("://") || link.starts_with("mailto:") {
        return None;
    }
    let (path, anchor) = link.split_once('#').map_or((link, None), |(path, anchor)| (path, Some(anchor)));
    let target = if path.is_empty() { Some(file.path.clone()) } else { resolve(&file.path, path) };
    let Some(target) = target.filter(|target| tree.has(target)) else {
        return Some(format!("link to `{link}`: there is no such file"));
    };
    let anchor = anchor.filter(|anchor| !anchor.is_empty())?;
    let page = tree.file(&target).filter(|page| page.path.ends_with(".md"))?;
    (!has_anchor(&page.text, anchor)).then(|| format!("link to `{link}`: {target} has no such heading"))
}

/// A link's path from the root of the repository; `None` when it leads outside.
fn resolve(from: &str, link: &str) -> Option<String> {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    if link.starts_with('/') {
        return None;
    }
    for part in link.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

fn has_anchor(text: &str, anchor: &str) -> bool {
    let explicit = text.contains(&format!("id=\"{anchor}\"")) || text.contains(&format!("name=\"{anchor}\""));
    explicit
        || text.lines().filter(|line| line.starts_with('#')).any(|line| {
            let slug = slug(line.trim_start_matches('#'));
            // A repeated heading gets a number.
            slug == anchor
                || anchor.rsplit_once('-').is_some_and(|(base, number)| base == slug && number.parse::<u32>().is_ok())
        })
}

fn slug(heading: &str) -> String {
    heading
        .trim()
        .to_lowercase()
        .chars()
        .filter_map(|c| match c {
            ' ' => Some('-'),
            c if c.is_alphanumeric() || c == '-' || c == '_' => Some(c),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::finding::places;
    use super::*;

    #[test]
    fn broken_links_are_found() {
        let tree = Tree::sample(&[
            (
                "README.md",
                "[a](docs/a.md) [b](docs/b.md)\n[c](docs) [d](docs/a.md#no-such)\n[e]: ./gone.md\n[f](../x.md) [g](/docs/a.md)\n",
            ),
            (
                "docs/a.md",
                "# A page: of `words`\n[self](#a-page-of-words) [up](../README.md)\n[x](https://example.org/y)\n```\n[no](link.md)\n```\n`[no](link.md)`\n",
            ),
        ]);
        assert_eq!(places(&links(&tree)), ["README.md:1", "README.md:2", "README.md:4", "README.md:4", "README.md:3"]);
    }

    #[test]
    fn examples_without_a_number_or_a_listing_are_found() {
        let tree = Tree::sample(&[
            ("examples/README.md", "01-hello.yaml, 03-roll and hosts.yaml"),
            ("examples/01-hello.yaml", ""),
            ("examples/02-lost.yaml", ""),
            ("examples/03-roll/job.yaml", ""),
            ("examples/03-roll/hosts.yaml", ""),
            ("examples/hosts.yaml", ""),
        ]);
        assert_eq!(places(&examples(&tree)), ["examples/02-lost.yaml:1", "examples/hosts.yaml:1"]);
    }

    #[test]
    fn unlisted_decisions_are_found() {
        let tree = Tree::sample(&[
            ("docs/architecture.md", "[store](decisions/store.md)"),
            ("docs/decisions/store.md", ""),
            ("docs/decisions/ssh.md", ""),
        ]);
        assert_eq!(places(&decisions(&tree)), ["docs/decisions/ssh.md:1"]);
    }
}
