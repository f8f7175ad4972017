//! What a template reads, found without knowing any value.

use std::collections::BTreeSet;

/// What a template or an expression reads.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct References {
    /// First names, such as `params`; loop variables and functions are left out.
    pub roots: BTreeSet<String>,
    /// Dotted names, such as `["steps", "before", "stdout"]`; `a["b"]` counts as `a.b`.
    pub paths: BTreeSet<Vec<String>>,
    /// Those of `paths` that the text itself guards with `default(…)` or `is defined`: they may be absent.
    pub guarded: BTreeSet<Vec<String>>,
    /// What is asked of all targets: the texts in `all('…')`.
    pub all: BTreeSet<String>,
}

impl References {
    /// Adds what another text reads.
    pub fn merge(&mut self, other: Self) {
        // A name that one text guards and another does not is not guarded.
        let bare = |mine: &Self, path: &Vec<String>| mine.paths.contains(path) && !mine.guarded.contains(path);
        let guarded: BTreeSet<_> = self
            .guarded
            .iter()
            .filter(|path| !bare(&other, path))
            .chain(other.guarded.iter().filter(|path| !bare(self, path)))
            .cloned()
            .collect();
        self.guarded = guarded;
        self.roots.extend(other.roots);
        self.paths.extend(other.paths);
        self.all.extend(other.all);
    }
}
