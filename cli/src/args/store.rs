//! Arguments of `store`.

use autoexec_model::millis::Millis;
use clap::{Args, Subcommand};

/// `store`.
#[derive(Debug, Subcommand)]
pub(crate) enum StoreVerbArgs {
    /// Read everything and check it
    #[command(after_help = "Example:\n  autoexec store verify")]
    Verify,
    /// Copy the store, consistent, to an empty folder
    #[command(after_help = "Example:\n  autoexec store backup /srv/backup/autoexec")]
    Backup {
        /// The folder, on the scheduler's host
        folder: std::path::PathBuf,
    },
    /// Sizes and numbers
    #[command(after_help = "Example:\n  autoexec store stats --format json")]
    Stats,
    /// Remove old jobs that have ended
    Prune(PruneArgs),
}

/// `store prune`.
#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
#[command(after_help = "Example:\n  autoexec store prune --older-than 90d --to-size 2GiB")]
pub(crate) struct PruneArgs {
    /// Jobs that ended longer ago than this
    #[arg(long, value_name = "TIME", value_parser = age)]
    pub(crate) older_than: Option<u64>,
    /// The oldest jobs, until outputs and journal take at most this
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub(crate) to_size: Option<u64>,
}

/// In milliseconds.
fn age(text: &str) -> Result<u64, String> {
    text.parse::<Millis>().map(Millis::as_millis).map_err(|error| error.to_string())
}

/// In bytes.
fn size(text: &str) -> Result<u64, String> {
    const UNITS: [(&str, u32); 6] = [("KiB", 10), ("MiB", 20), ("GiB", 30), ("TiB", 40), ("PiB", 50), ("B", 0)];
    let refused = || format!("`{text}` is not a size; write it as `500MiB` or `2GiB`");
    let (unit, shift) = UNITS.iter().find(|(unit, _)| text.ends_with(unit)).ok_or_else(refused)?;
    let number: u64 = text.strip_suffix(unit).and_then(|number| number.trim().parse().ok()).ok_or_else(refused)?;
    number.checked_mul(1_u64 << shift).ok_or_else(refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_need_a_unit() {
        assert_eq!(size("2GiB"), Ok(2 << 30));
        assert_eq!(size("512 KiB"), Ok(512 << 10));
        assert_eq!(size("7B"), Ok(7));
        for text in ["7", "GiB", "-1GiB", "1.5GiB", "99999999999PiB", "2GB"] {
            assert!(size(text).is_err(), "{text}");
        }
    }
}
