//! Parameters as typed, with the files that some of them name.
//!
//! Whether a parameter is a file is known to the scheduler alone; so a value read from a file travels as a file, and as text too
//! when it is text.

use std::path::Path;

use autoexec_model::api::ParamFile;

use super::source;
use crate::args::NameValue;
use crate::error::Failure;

/// What travels.
#[derive(Debug, Default)]
pub(super) struct Params {
    /// Names and values.
    pub(super) values: Vec<(String, String)>,
    /// Files.
    pub(super) files: Vec<ParamFile>,
}

/// Reads the files that `-p name=@path` names.
pub(super) fn params(typed: &[NameValue]) -> Result<Params, Failure> {
    let mut params = Params::default();
    for NameValue { name, value } in typed {
        match value.strip_prefix('@') {
            // `@@text` is the text `@text`.
            Some(rest) if rest.starts_with('@') => params.values.push((name.clone(), rest.to_owned())),
            Some(path) => {
                let bytes = source::file(Path::new(path))?;
                if let Ok(text) = std::str::from_utf8(&bytes) {
                    params.values.push((name.clone(), text.to_owned()));
                }
                let file_name = Path::new(path).file_name().unwrap_or_default().to_string_lossy().into_owned();
                params.files.push(ParamFile { param: name.clone(), name: file_name, bytes });
            }
            None => params.values.push((name.clone(), value.clone())),
        }
    }
    Ok(params)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(name: &str, value: String) -> NameValue {
        NameValue { name: name.to_owned(), value }
    }

    #[test]
    fn text_files_travel_both_ways_and_binary_ones_as_files_only() {
        let temp = tempfile::tempdir().expect("a folder");
        let (text, binary) = (temp.path().join("a.txt"), temp.path().join("b.bin"));
        std::fs::write(&text, "one\n").expect("written");
        std::fs::write(&binary, [0xff, 0]).expect("written");
        let at = |path: &Path| format!("@{}", path.display());
        let params = params(&[
            typed("a", at(&text)),
            typed("b", at(&binary)),
            typed("c", "@@x".to_owned()),
            typed("d", "a@b".to_owned()),
        ])
        .expect("read");
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(params.values, [pair("a", "one\n"), pair("c", "@x"), pair("d", "a@b")]);
        let files: Vec<(&str, &str, usize)> =
            params.files.iter().map(|file| (file.param.as_str(), file.name.as_str(), file.bytes.len())).collect();
        assert_eq!(files, [("a", "a.txt", 4), ("b", "b.bin", 2)]);
    }

    #[test]
    fn a_missing_file_is_named() {
        let failure = params(&[typed("a", "@no/such".to_owned())]).expect_err("none");
        assert_eq!(failure.to_string(), "cannot read no/such");
    }
}
