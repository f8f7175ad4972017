//! Text files that travel with a request.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use autoexec_model::api::Source;

use crate::error::Failure;

/// A request may hold 64 MiB in all; one file leaves room for the others.
pub(super) const MAX_MIB: u64 = 48;

/// Reads a file; `-` is standard input.
pub(super) fn read(path: &Path) -> Result<Source, Failure> {
    let (name, bytes) = if path.as_os_str() == "-" {
        ("standard input".to_owned(), bounded(path, io::stdin().lock())?)
    } else {
        (path.display().to_string(), file(path)?)
    };
    Ok(Source { name, bytes })
}

/// Reads a file when one was named.
pub(crate) fn optional(path: Option<&Path>) -> Result<Option<Source>, Failure> {
    path.map(read).transpose()
}

/// The bytes of a file.
pub(super) fn file(path: &Path) -> Result<Vec<u8>, Failure> {
    let file = File::open(path).map_err(|source| Failure::Read { path: path.to_owned(), source })?;
    bounded(path, file)
}

fn bounded(path: &Path, reader: impl Read) -> Result<Vec<u8>, Failure> {
    let limit = MAX_MIB * 1024 * 1024;
    let mut bytes = Vec::new();
    // One byte more than allowed tells a file that is just large enough from one that is too large.
    reader.take(limit + 1).read_to_end(&mut bytes).map_err(|source| Failure::Read { path: path.to_owned(), source })?;
    if bytes.len() as u64 > limit {
        return Err(Failure::TooLarge { path: path.to_owned(), limit_mib: MAX_MIB });
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let failure = read(Path::new("no/such.yaml")).expect_err("none");
        assert_eq!(failure.to_string(), "cannot read no/such.yaml");
        assert_eq!(failure.exit().code(), 2);
        assert_eq!(optional(None).expect("none asked for"), None);
    }

    #[test]
    fn an_endless_file_is_refused() {
        let failure = bounded(Path::new("endless"), io::repeat(b'x')).expect_err("too large");
        assert_eq!(failure.to_string(), "endless holds more than 48 MiB");
    }
}
