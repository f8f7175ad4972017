//! No file names a folder of the machine it was written on.

use super::code::pattern;
use super::finding::Finding;
use super::tree::Tree;

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    // An absolute path: nothing that belongs to a longer path stands before the slash.
    let absolute = pattern(r"(?:^|[^\w./~$}*>-])(/(?:work|root|farm)/)");
    let mut found = Vec::new();
    for file in &tree.files {
        for (index, line) in file.text.lines().enumerate() {
            if let Some(hit) = absolute.captures(line) {
                let what = format!("`{}` is a path of one machine", &hit[1]);
                found.push(Finding::new(
                    &file.path,
                    index + 1,
                    what,
                    "use a path relative to the repository, a temporary folder, or a made-up one such as /srv/app",
                ));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::finding::places;
    use super::*;

    #[test]
    fn paths_of_one_machine_are_found() {
        let text = concat!("cd /wo", "rk/main\nuse target/work/x and ~/work/x\nHOME=\"/ro", "ot/x\"\n$dir/root/x\n");
        assert_eq!(places(&check(&Tree::sample(&[("docs/a.md", text)]))), ["docs/a.md:1", "docs/a.md:3"]);
    }
}
