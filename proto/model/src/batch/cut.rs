//! The parts of a batch expression, their arithmetic and their text form.

use std::fmt;
use std::str::FromStr;

/// A share of a whole, exact to one decimal, from 0% to 100%.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Percent {
    pub(super) tenths: u16,
}

/// One part of a batch expression; never zero.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum BatchPart {
    /// `N`: so many targets.
    Count(u32),
    /// `N%`: this share of all targets, rounded up.
    Percent(Percent),
    /// `+N`: as many as the previous batch and N more.
    Plus(u32),
    /// `*N`: N times as many as the previous batch; the first one counts as following a batch of one.
    Times(u32),
}

/// How targets are cut.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum BatchSpec {
    /// Parts from left to right; the last one repeats. Never empty.
    Parts(Vec<BatchPart>),
    /// So many batches, the first ones one larger when the targets do not divide evenly. Never zero.
    Count(u32),
}

/// The text is not a batch expression, or not a share.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} (at character {at}); {hint}", at = .at + 1)]
pub struct BatchError {
    /// Byte offset into the text.
    pub at: usize,
    /// What is wrong there.
    pub what: String,
    /// What to write instead.
    pub hint: String,
}

/// Parts of one expression; far more than anyone writes by hand.
pub(crate) const MAX_PARTS: usize = 1000;

const HOW: &str = "write parts such as `1 5% 25% *2`, where `N` counts, `N%` is a share, `+N` adds to and `*N` multiplies the previous batch";

impl Percent {
    /// So many tenths of a percent; none above 100%.
    pub fn from_tenths(tenths: u16) -> Option<Self> {
        (tenths <= 1000).then_some(Self { tenths })
    }

    /// In tenths of a percent, 0 to 1000.
    pub fn tenths(self) -> u16 {
        self.tenths
    }

    /// This share of `total`, rounded down.
    pub fn floor_of(self, total: u32) -> u32 {
        let share = u64::from(total) * u64::from(self.tenths) / 1000;
        u32::try_from(share).unwrap_or(total)
    }

    /// This share of `total`, rounded up.
    pub fn ceil_of(self, total: u32) -> u32 {
        let share = (u64::from(total) * u64::from(self.tenths)).div_ceil(1000);
        u32::try_from(share).unwrap_or(total)
    }
}

impl BatchSpec {
    /// Everything in one batch.
    pub fn whole() -> Self {
        Self::Count(1)
    }

    /// The sizes of the batches for so many targets: their sum is `total`, none is zero, and there is none for no targets.
    pub fn cut(&self, total: u32) -> Vec<u32> {
        match self {
            Self::Parts(parts) => cut_parts(parts, total),
            Self::Count(count) => cut_evenly(*count, total),
        }
    }
}

fn cut_parts(parts: &[BatchPart], total: u32) -> Vec<u32> {
    let mut sizes = Vec::new();
    let mut left = total;
    let mut index = 0;
    while left > 0 {
        let previous = sizes.last().copied();
        let wanted = parts.get(index).or_else(|| parts.last()).map_or(left, |part| part.size(previous, total));
        let size = wanted.clamp(1, left);
        sizes.push(size);
        left -= size;
        index += 1;
    }
    sizes
}

fn cut_evenly(count: u32, total: u32) -> Vec<u32> {
    let count = count.clamp(1, total.max(1));
    let (each, larger) = (total / count, total % count);
    (0..count).map(|i| each + u32::from(i < larger)).filter(|size| *size > 0).collect()
}

impl BatchPart {
    fn size(self, previous: Option<u32>, total: u32) -> u32 {
        match self {
            Self::Count(n) => n,
            Self::Percent(share) => share.ceil_of(total),
            Self::Plus(n) => previous.unwrap_or(0).saturating_add(n),
            Self::Times(n) => previous.unwrap_or(1).saturating_mul(n),
        }
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.tenths % 10 {
            0 => write!(f, "{}%", self.tenths / 10),
            tenth => write!(f, "{}.{tenth}%", self.tenths / 10),
        }
    }
}

impl fmt::Display for BatchPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(n) => write!(f, "{n}"),
            Self::Percent(share) => share.fmt(f),
            Self::Plus(n) => write!(f, "+{n}"),
            Self::Times(n) => write!(f, "*{n}"),
        }
    }
}

impl fmt::Display for BatchSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(count) => write!(f, "count: {count}"),
            Self::Parts(parts) => {
                for (i, part) in parts.iter().enumerate() {
                    if i > 0 {
                        f.write_str(" ")?;
                    }
                    part.fmt(f)?;
                }
                Ok(())
            }
        }
    }
}

impl FromStr for Percent {
    type Err = BatchError;

    /// `5%`, `12.5%`.
    fn from_str(text: &str) -> Result<Self, BatchError> {
        let bad = |what: &str| flaw(0, format!("`{}` {what}", clip(text)), "write a share such as `5%` or `12.5%`");
        let number = text.trim().strip_suffix('%').ok_or_else(|| bad("is not a share"))?;
        let (whole, tenth) = match number.split_once('.') {
            Some((whole, tenth)) if tenth.len() == 1 => (whole, tenth),
            Some(_) => return Err(bad("has more than one decimal")),
            None => (number, "0"),
        };
        let whole: u16 = digits(whole).ok_or_else(|| bad("is not a share"))?;
        let tenth: u16 = digits(tenth).ok_or_else(|| bad("is not a share"))?;
        Self::from_tenths(whole.saturating_mul(10).saturating_add(tenth)).ok_or_else(|| bad("is more than 100%"))
    }
}

impl FromStr for BatchPart {
    type Err = BatchError;

    fn from_str(text: &str) -> Result<Self, BatchError> {
        let zero = || flaw(0, format!("`{text}` would make an empty batch"), "write 1 or more");
        if text.ends_with('%') {
            let share: Percent = text.parse()?;
            return if share.tenths == 0 { Err(zero()) } else { Ok(Self::Percent(share)) };
        }
        let (make, number): (fn(u32) -> Self, &str) = match text.as_bytes().first() {
            Some(b'+') => (Self::Plus, &text[1..]),
            Some(b'*') => (Self::Times, &text[1..]),
            Some(_) | None => (Self::Count, text),
        };
        match digits::<u32>(number) {
            Some(0) => Err(zero()),
            Some(n) => Ok(make(n)),
            None => Err(flaw(0, format!("`{}` is not a part of a batch expression", clip(text)), HOW)),
        }
    }
}

impl FromStr for BatchSpec {
    type Err = BatchError;

    /// `1 5% *2`, or `count: 3`. Commas may stand between parts as well.
    fn from_str(text: &str) -> Result<Self, BatchError> {
        if let Some(rest) = text.trim().strip_prefix("count") {
            let number = rest.trim_start().strip_prefix([':', '=']).unwrap_or(rest).trim();
            return match digits(number) {
                Some(n) if n > 0 => Ok(Self::Count(n)),
                Some(_) | None => {
                    Err(flaw(0, format!("`{}` is not a number of batches", clip(number)), "write `count: 3`"))
                }
            };
        }
        let mut parts = Vec::new();
        for (at, word) in words(text) {
            let part = word.parse().map_err(|e: BatchError| BatchError { at: at + e.at, ..e })?;
            parts.push(part);
        }
        from_parts(parts)
    }
}

pub(crate) fn from_parts(parts: Vec<BatchPart>) -> Result<BatchSpec, BatchError> {
    if parts.is_empty() {
        return Err(flaw(0, "the batch expression is empty", HOW));
    }
    if parts.len() > MAX_PARTS {
        return Err(flaw(0, format!("more than {MAX_PARTS} parts"), "the last part repeats: write fewer"));
    }
    Ok(BatchSpec::Parts(parts))
}

/// Words of the text with their byte offsets.
fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.split(|c: char| c.is_whitespace() || c == ',')
        .filter(|word| !word.is_empty())
        .map(move |word| (word.as_ptr() as usize - text.as_ptr() as usize, word))
}

/// A number of digits only: no sign, no spaces.
fn digits<T: FromStr>(text: &str) -> Option<T> {
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

fn clip(text: &str) -> String {
    text.chars().take(24).collect()
}

fn flaw(at: usize, what: impl Into<String>, hint: &str) -> BatchError {
    BatchError { at, what: what.into(), hint: hint.to_owned() }
}
