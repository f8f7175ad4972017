//! The order in which the targets of a group move. Random orders come from a seed and from nothing else, so they are the same
//! on any machine and with any version of any library.

use std::collections::HashMap;

use autoexec_model::nodeset::natural_cmp;
use autoexec_model::plan::Target;
use autoexec_model::spec::{OrderBy, OrderSpec};

/// Domain of the hash that random orders come from. Changing it changes every random order.
const DOMAIN: &str = "autoexec 2026 order of targets";

/// Puts indexes of `targets` in order; says how, for people.
pub(super) fn arrange(indexes: &mut Vec<u32>, targets: &[Target], order: Option<&OrderSpec>, seed: u64) -> String {
    let order = order.cloned().unwrap_or_default();
    let name = |index: &u32| targets.get(*index as usize).map_or("", |target| target.name.as_str());
    let mut said = match order.by {
        OrderBy::Inventory => "inventory".to_owned(),
        OrderBy::Name => {
            indexes.sort_by(|a, b| natural_cmp(name(a), name(b)));
            "name".to_owned()
        }
        OrderBy::Random => {
            let seed = order.seed.unwrap_or(seed);
            indexes.sort_by_cached_key(|index| (rank(seed, name(index)), *index));
            format!("random, seed {seed}")
        }
    };
    if let Some(label) = &order.spread {
        let value = |index: &u32| {
            targets.get(*index as usize).and_then(|t| t.labels.get(&label.value)).map_or("", String::as_str)
        };
        *indexes = spread(indexes, value);
        said.push_str(&format!(", spread by `{label}`"));
    }
    said
}

/// Where a name stands in the random order of a seed.
fn rank(seed: u64, name: &str) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new_derive_key(DOMAIN);
    hasher.update(&seed.to_le_bytes());
    hasher.update(name.as_bytes());
    *hasher.finalize().as_bytes()
}

/// Mixes the values of a label as evenly as their numbers allow: with 6 of one and 3 of another, every third is of the other.
/// Among those of one value the order stays.
fn spread<'a>(indexes: &[u32], value: impl Fn(&u32) -> &'a str) -> Vec<u32> {
    let mut sizes: HashMap<&str, u64> = HashMap::new();
    for index in indexes {
        *sizes.entry(value(index)).or_default() += 1;
    }
    let mut ranks: HashMap<&str, u64> = HashMap::new();
    let mut firsts: HashMap<&str, usize> = HashMap::new();
    let mut keyed: Vec<(u64, u64, usize, u32)> = Vec::with_capacity(indexes.len());
    for (position, index) in indexes.iter().enumerate() {
        let of = value(index);
        let rank = ranks.entry(of).or_default();
        let first = *firsts.entry(of).or_insert(position);
        // The middle of the n-th of `size` equal parts, as a fraction over `2 * size`.
        keyed.push((2 * *rank + 1, 2 * sizes.get(of).copied().unwrap_or(1), first, *index));
        *rank += 1;
    }
    keyed.sort_by(|a, b| (a.0 * b.1).cmp(&(b.0 * a.1)).then(a.2.cmp(&b.2)));
    keyed.into_iter().map(|(_, _, _, index)| index).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mixed(zones: &str) -> String {
        let zones: Vec<String> = zones.chars().map(String::from).collect();
        let indexes: Vec<u32> = (0..zones.len() as u32).collect();
        spread(&indexes, |i| zones[*i as usize].as_str()).iter().map(|i| zones[*i as usize].as_str()).collect()
    }

    #[test]
    fn values_take_turns_as_evenly_as_they_can() {
        assert_eq!(mixed("aaabbb"), "ababab");
        assert_eq!(mixed("aaaaaabbb"), "abaabaaba");
        assert_eq!(mixed("aabbcc"), "abcabc");
        assert_eq!(mixed("aaaa"), "aaaa");
        assert_eq!(mixed(""), "");
    }

    #[test]
    fn a_seed_fixes_the_order_for_ever() {
        let mut names: Vec<String> = (1..=6).map(|n| format!("web{n}")).collect();
        names.sort_by_cached_key(|name| rank(7, name));
        assert_eq!(names.join(" "), "web1 web6 web4 web2 web3 web5");
        names.sort_by_cached_key(|name| rank(8, name));
        assert_ne!(names.join(" "), "web1 web6 web4 web2 web3 web5");
    }
}
