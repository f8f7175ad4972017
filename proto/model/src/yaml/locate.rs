//! Where an error should point, when the reader's own place is near but not right.
//!
//! The reader knows the token that it stands on. A key that is missing is then reported at the last key of its map, and a value
//! that a visitor refuses at the key before it; both are put right here by looking at the text.

use serde_saphyr::Location;

use crate::diagnostic::{Place, SourceFile};

/// The reader's place, with its length cut to the word where the reader gives none.
pub(super) fn token(src: &SourceFile, location: Location) -> Option<Place> {
    let mut place = Place::of(location)?;
    let line = chars(src, place.line);
    let rest = line.get(index(place)..).unwrap_or_default();
    if place.len <= 1 {
        place.len = length(rest.iter().take_while(|c| !c.is_whitespace() && !":,{}[]".contains(**c)).count());
    }
    place.len = place.len.min(length(rest.len()));
    Some(place)
}

/// For an error about a value that was reported at its key: the value. `text` is how the value begins, if that is known.
pub(super) fn value_after(src: &SourceFile, place: Place, text: &str) -> Place {
    let line = chars(src, place.line);
    let after_key = index(place) + place.len as usize;
    if !text.is_empty() && line.get(index(place)..after_key).is_some_and(|here| here.iter().collect::<String>() == text)
    {
        return place;
    }
    if line.get(after_key) != Some(&':') || line.get(after_key + 1).is_some_and(|c| !c.is_whitespace()) {
        return place;
    }
    let Some(gap) = line.iter().skip(after_key + 1).position(|c| !c.is_whitespace()) else { return place };
    let from = after_key + 1 + gap;
    let rest = &line[from..];
    if rest.first() == Some(&'#') {
        return place;
    }
    let quoted = rest.first().copied().filter(|c| matches!(c, '"' | '\''));
    let known = text.chars().count();
    let len = match quoted {
        Some(quote) => rest.iter().skip(1).position(|c| *c == quote).map_or(rest.len(), |end| end + 2),
        None if known > 0 && rest.iter().take(known).collect::<String>() == text => known,
        None => rest.iter().position(|c| c.is_whitespace() || ",{}[]".contains(*c)).unwrap_or(rest.len()),
    };
    Place { line: place.line, column: length(from + 1), len: length(len) }
}

/// For a key that is missing: the first key of its map, or nowhere when the map is the whole file.
pub(super) fn head_of_map(src: &SourceFile, place: Place) -> Option<Place> {
    if place.column == 1 {
        return None;
    }
    let at = index(place);
    let mut head = place;
    for number in (1..=place.line).rev() {
        let line = chars(src, number);
        let blank = line.iter().all(|c| c.is_whitespace()) || line.iter().find(|c| !c.is_whitespace()) == Some(&'#');
        let spaces = line.iter().take_while(|c| **c == ' ').count();
        let lead = line.iter().take_while(|c| matches!(c, ' ' | '-')).count();
        if blank || spaces > at {
            continue;
        }
        if lead != at {
            break;
        }
        let word = line[at..].iter().take_while(|c| !c.is_whitespace() && **c != ':').count();
        head = Place { line: number, column: place.column, len: length(word) };
        if spaces < at {
            // A dash: the item, and with it the map, begins here.
            break;
        }
    }
    Some(head)
}

/// Whether a line is indented with a tab.
pub(super) fn has_tab_indent(src: &SourceFile, line: u32) -> bool {
    let text = src.line(line).unwrap_or_default();
    text.chars().take_while(|c| c.is_whitespace()).any(|c| c == '\t')
}

fn chars(src: &SourceFile, line: u32) -> Vec<char> {
    src.line(line).unwrap_or_default().chars().collect()
}

fn index(place: Place) -> usize {
    place.column.saturating_sub(1) as usize
}

fn length(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX).max(1)
}
