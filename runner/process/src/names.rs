//! Which names may be given to variables, files and users of an execution: those that every shell, file system and
//! `sudo` reads as one plain word, and that are not ours.

use crate::payload::PayloadError;

pub(crate) fn check_env(name: &str) -> Result<(), PayloadError> {
    let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    let first = name.bytes().next().is_some_and(|b| !b.is_ascii_digit());
    let taken =
        ["AUTOEXEC_KEY", "AUTOEXEC_MARK", "AUTOEXEC_OUTPUT", "AUTOEXEC_FILES", "AUTOEXEC_SECRETS", "AUTOEXEC_PARAMS"];
    let ours = name.starts_with("ax_") || taken.contains(&name);
    if plain && first && !ours { Ok(()) } else { Err(PayloadError::EnvName { name: name.to_owned() }) }
}

pub(crate) fn check_file(name: &str) -> Result<(), PayloadError> {
    let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
    let ours = [
        "script",
        "params.json",
        "output",
        "out",
        "err",
        "run",
        "killed",
        "stdin",
        "program",
        "probe",
        "secrets",
        "out.pipe",
        "err.pipe",
    ]
    .contains(&name);
    let fits = (1..=200).contains(&name.len()) && plain && !ours && !name.starts_with(['.', '-']);
    if fits { Ok(()) } else { Err(PayloadError::FileName { name: name.to_owned() }) }
}

pub(crate) fn check_user(name: &str) -> Result<(), PayloadError> {
    let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
    if plain && (1..=64).contains(&name.len()) && !name.starts_with(['.', '-']) {
        Ok(())
    } else {
        Err(PayloadError::UserName { name: name.to_owned() })
    }
}
