//! The tree of groups: who is inside whom, how deep, and whether the tree is one.
//!
//! Building it fails on children that do not exist and on groups that are inside themselves.

use std::collections::{BTreeSet, HashMap};

use super::{GroupEntry, Inventory};
use crate::diagnostic::{Diagnostic, Diagnostics, Located, SourceFile, nearest};
use crate::spec::is_name;

/// The groups, by index, with what follows from their children.
pub(super) struct Tree<'a> {
    pub(super) names: Vec<&'a str>,
    pub(super) entries: Vec<&'a GroupEntry>,
    parents: Vec<Vec<usize>>,
    /// Longest way from a group without parents: a child is always deeper than its parents.
    depth: Vec<usize>,
}

impl<'a> Tree<'a> {
    pub(super) fn build(inventory: &'a Inventory, src: &SourceFile) -> Result<Self, Diagnostics> {
        let mut found = Diagnostics::new();
        let index: HashMap<&str, usize> = inventory.groups.names().enumerate().map(|(i, name)| (name, i)).collect();
        let mut parents = vec![Vec::new(); index.len()];
        for (parent, (name, group)) in inventory.groups.iter().enumerate() {
            if !is_name(name) {
                let error = src.error(name.place, format!("`{}` cannot be the name of a group", name.escape_debug()));
                found.push(error.hint("use letters, digits, `_` and `-`, at most 64 of them"));
            }
            for child in &group.children {
                match index.get(child.value.as_str()) {
                    Some(child) => parents[*child].push(parent),
                    None => found.push(unknown_child(inventory, child, src)),
                }
            }
        }
        let (names, entries) = inventory.groups.iter().map(|(name, group)| (name.value.as_str(), group)).unzip();
        let mut tree = Self { names, entries, parents, depth: Vec::new() };
        if found.is_empty()
            && let Some(cycle) = tree.measure(&index)
        {
            found.push(cycle_error(&tree, &cycle, src));
        }
        found.or(tree)
    }

    /// Depths, parents first. Answers with the groups of a cycle when there is one.
    fn measure(&mut self, index: &HashMap<&str, usize>) -> Option<Vec<usize>> {
        let children = |group: usize| {
            self.entries[group].children.iter().filter_map(|child| index.get(child.value.as_str()).copied())
        };
        let mut waiting: Vec<usize> = self.parents.iter().map(Vec::len).collect();
        let mut ready: Vec<usize> = (0..waiting.len()).filter(|group| waiting[*group] == 0).collect();
        let mut depth = vec![0; waiting.len()];
        let mut done = 0;
        while let Some(group) = ready.pop() {
            done += 1;
            for child in children(group) {
                depth[child] = depth[child].max(depth[group] + 1);
                waiting[child] -= 1;
                if waiting[child] == 0 {
                    ready.push(child);
                }
            }
        }
        let stuck = (0..waiting.len()).find(|group| waiting[*group] > 0);
        let cycle = stuck.filter(|_| done < waiting.len()).map(|start| self.walk_up(start, &waiting));
        self.depth = depth;
        cycle
    }

    /// From a group that waits for a parent, up through such parents until one comes twice; top first.
    fn walk_up(&self, start: usize, waiting: &[usize]) -> Vec<usize> {
        let mut way = vec![start];
        loop {
            let here = way.last().copied().unwrap_or(start);
            let Some(up) = self.parents[here].iter().copied().find(|parent| waiting[*parent] > 0) else { return way };
            if let Some(first) = way.iter().position(|group| *group == up) {
                let mut cycle = way.split_off(first);
                cycle.reverse();
                // Written from the group that stands first in the file, so that the message does not depend on the walk.
                let top = cycle.iter().enumerate().min_by_key(|(_, group)| **group).map_or(0, |(at, _)| at);
                cycle.rotate_left(top);
                return cycle;
            }
            way.push(up);
        }
    }

    /// These groups and all that they are in; the strongest first.
    pub(super) fn with_ancestors(&self, groups: &BTreeSet<usize>) -> Vec<usize> {
        let mut all = BTreeSet::new();
        let mut open: Vec<usize> = groups.iter().copied().collect();
        while let Some(group) = open.pop() {
            if all.insert(group) {
                open.extend(&self.parents[group]);
            }
        }
        let mut list: Vec<usize> = all.into_iter().collect();
        list.sort_by_key(|group| std::cmp::Reverse((self.depth[*group], *group)));
        list
    }
}

fn unknown_child(inventory: &Inventory, child: &Located<String>, src: &SourceFile) -> Diagnostic {
    let error = src.error(child.place, format!("there is no group `{child}`"));
    match nearest(child, inventory.groups.names()) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => error.hint("children are groups; hosts are written under `hosts`"),
    }
}

fn cycle_error(tree: &Tree<'_>, cycle: &[usize], src: &SourceFile) -> Diagnostic {
    let top = cycle.first().copied().unwrap_or_default();
    let below = cycle.get(1).copied().unwrap_or(top);
    let place =
        tree.entries[top].children.iter().find(|child| child.value == tree.names[below]).and_then(|child| child.place);
    let way: Vec<&str> = cycle.iter().chain([&top]).map(|group| tree.names[*group]).collect();
    src.error(place, format!("the group `{}` is inside itself: {}", tree.names[top], way.join(" -> ")))
}
