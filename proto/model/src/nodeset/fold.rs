//! From names to a pattern. The last number of a name is folded first, then the one before it, so a grid of names folds into
//! one item: `rack[1-4].node[01-20]`.

use std::cmp::Ordering;
use std::collections::{BTreeSet, HashMap};

/// Numbers of one name that are tried, from its end; names with more are folded only there.
const MAX_PASSES: usize = 4;

/// A name in pieces: text at even places, numbers and ranges at odd ones.
type Pieces = Vec<String>;

/// The shortest pattern that this knows for a set of names, in natural order (`web9` before `web10`). Expanding it gives the
/// same set, as long as no name holds a comma, a bracket or a space; such a name stands in the result as it is.
pub fn fold<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let unique: BTreeSet<&str> = names.into_iter().filter(|name| !name.is_empty()).collect();
    let mut items: Vec<Pieces> = unique.into_iter().map(pieces).collect();
    for back in 0..MAX_PASSES {
        items = fold_number(items, back);
    }
    let mut shown: Vec<String> = items.into_iter().map(|pieces| pieces.concat()).collect();
    shown.sort_by(|a, b| natural_cmp(a, b));
    shown.join(",")
}

/// Orders names as people do: digits by their value, the rest letter by letter; equal values by their text.
pub fn natural_cmp(a: &str, b: &str) -> Ordering {
    let (mut left, mut right) = (a, b);
    loop {
        let order = match (left.chars().next(), right.chars().next()) {
            (None, None) => return a.cmp(b),
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(l), Some(r)) if l.is_ascii_digit() && r.is_ascii_digit() => {
                let (l, r) = (take_digits(&mut left), take_digits(&mut right));
                (l.len(), l).cmp(&(r.len(), r))
            }
            (Some(l), Some(r)) => {
                left = &left[l.len_utf8()..];
                right = &right[r.len_utf8()..];
                l.cmp(&r)
            }
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}

/// Takes a run of digits off and gives it without leading zeros, so that the longer one is the larger one.
fn take_digits<'a>(text: &mut &'a str) -> &'a str {
    let end = text.bytes().take_while(u8::is_ascii_digit).count();
    let (digits, rest) = text.split_at(end);
    *text = rest;
    digits.trim_start_matches('0')
}

fn pieces(name: &str) -> Pieces {
    if name.contains(['[', ']', ',']) || name.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return vec![name.to_owned()];
    }
    let mut out = Vec::new();
    let mut rest = name;
    while !rest.is_empty() {
        let text = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        out.push(rest[..text].to_owned());
        rest = &rest[text..];
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        if digits > 0 {
            out.push(rest[..digits].to_owned());
        }
        rest = &rest[digits..];
    }
    out
}

/// Folds the number that is `back` numbers before the last one: items that differ in nothing else become one.
fn fold_number(items: Vec<Pieces>, back: usize) -> Vec<Pieces> {
    let mut groups: HashMap<Pieces, Vec<String>> = HashMap::new();
    let mut out = Vec::new();
    for mut item in items {
        let numbers = item.len() / 2;
        let foldable = back < numbers && item.get((numbers - 1 - back) * 2 + 1).is_some_and(|n| n.len() <= 18);
        if !foldable {
            out.push(item);
            continue;
        }
        let place = (numbers - 1 - back) * 2 + 1;
        // An empty number marks the place, so that items with the same rest but other places never meet.
        let number = std::mem::take(&mut item[place]);
        groups.entry(item).or_default().push(number);
    }
    for (mut item, numbers) in groups {
        if let Some(place) = item.iter().enumerate().position(|(i, piece)| i % 2 == 1 && piece.is_empty()) {
            item[place] = join_numbers(numbers);
        }
        out.push(item);
    }
    out
}

fn join_numbers(mut numbers: Vec<String>) -> String {
    if let [only] = numbers.as_slice() {
        return only.clone();
    }
    numbers.sort_by(|a, b| natural_cmp(a, b));
    let mut runs: Vec<(String, String)> = Vec::new();
    for number in numbers {
        match runs.last_mut() {
            Some((first, last)) if follows(first, last, &number) => *last = number,
            Some(_) | None => runs.push((number.clone(), number)),
        }
    }
    let shown: Vec<String> =
        runs.into_iter().map(|(first, last)| if first == last { first } else { format!("{first}-{last}") }).collect();
    format!("[{}]", shown.join(","))
}

/// Whether a range that begins with `first` and now ends with `last` also gives `next`, in exactly this spelling.
fn follows(first: &str, last: &str, next: &str) -> bool {
    let width = if first.len() > 1 && first.starts_with('0') { first.len() } else { 0 };
    last.parse::<u64>().is_ok_and(|n| format!("{:0width$}", n + 1) == next)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::expand;
    use super::*;

    fn folded(names: &str) -> String {
        fold(names.split(' '))
    }

    #[test]
    fn names_fold_as_people_write_them() {
        assert_eq!(folded("web01 web02 web03 web52 db1"), "db1,web[01-03,52]");
        assert_eq!(folded("web9 web10 web11"), "web[9-11]");
        assert_eq!(folded("web09 web10 web11"), "web[09-11]");
        assert_eq!(folded("web1 web01"), "web[01,1]");
        assert_eq!(folded("web1.dc2 web2.dc2 web2.dc3"), "web1.dc2,web2.dc[2-3]");
        assert_eq!(folded("10.0.0.1 10.0.0.2 10.0.1.1 10.0.1.2"), "10.0.[0-1].[1-2]");
        assert_eq!(folded("solo"), "solo");
        assert_eq!(folded("web2 web1 web2"), "web[1-2]");
        assert_eq!(folded("a b1 b2 c"), "a,b[1-2],c");
        assert_eq!(fold([]), "");
        assert_eq!(fold(["odd[1]", "web1"]), "odd[1],web1");
        assert_eq!(folded("1 2 3"), "[1-3]");
    }

    #[test]
    fn a_thousand_addresses_fold_into_one_item() {
        let names: Vec<String> =
            (1..=4).flat_map(|net| (1..=250).map(move |host| format!("127.0.{net}.{host}"))).collect();
        assert_eq!(fold(names.iter().map(String::as_str)), "127.0.[1-4].[1-250]");
    }

    proptest! {
        #[test]
        fn expanding_gives_the_same_set(names in prop::collection::btree_set("[ab]{0,1}[0-9]{1,3}[.x]?[0-2]{0,2}", 0..60)) {
            let folded = fold(names.iter().map(String::as_str));
            let back: BTreeSet<String> = if names.is_empty() { BTreeSet::new() } else { expand(&folded).expect("a pattern").into_iter().collect() };
            prop_assert_eq!(back, names);
        }

        #[test]
        fn any_names_do(names in prop::collection::btree_set("[^\\[\\],\\s\\p{Cc}]{1,20}", 1..8)) {
            let folded = fold(names.iter().map(String::as_str));
            let back: BTreeSet<String> = expand(&folded).expect("a pattern").into_iter().collect();
            prop_assert_eq!(back, names);
        }

        #[test]
        fn order_of_names_does_not_matter(mut names in prop::collection::vec("[a-c][0-9]{1,2}", 0..20)) {
            let one = fold(names.iter().map(String::as_str));
            names.reverse();
            prop_assert_eq!(one, fold(names.iter().map(String::as_str)));
        }

        #[test]
        fn natural_order_is_an_order(mut names in prop::collection::vec("[a0-9]{0,4}", 0..12)) {
            names.sort_by(|a, b| natural_cmp(a, b));
            prop_assert!(names.windows(2).all(|w| natural_cmp(&w[0], &w[1]) != Ordering::Greater));
        }

        #[test]
        fn nothing_panics(text in "\\PC{0,24}|[a\\[\\],0-9 -]{0,24}") {
            let _ = expand(&text);
            let _ = fold([text.as_str()]);
        }
    }
}
