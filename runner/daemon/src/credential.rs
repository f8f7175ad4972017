//! References to credentials, resolved where they are used: `{{ params.x }}`, `env:NAME`, `file:PATH`.
//!
//! The value exists only in memory, between here and the place that needs it.

use autoexec_model::spec::CredentialRef;

use crate::attempt::Context;
use crate::host::home_path;

/// The value that a reference means.
///
/// # Errors
/// Why there is none, without any part of a value.
pub(crate) fn resolve(reference: &str, context: &Context) -> Result<String, String> {
    match reference.parse::<CredentialRef>() {
        Ok(CredentialRef::Env(name)) => {
            std::env::var(&name).map_err(|_| format!("the runner has no environment variable `{name}`"))
        }
        Ok(CredentialRef::File(path)) => {
            let text =
                std::fs::read_to_string(home_path(&path)).map_err(|error| format!("cannot read {path}: {error}"))?;
            Ok(text.lines().next().unwrap_or_default().to_owned())
        }
        Ok(CredentialRef::Param(_)) | Err(_) => context.text(reference).map_err(|error| error.to_string()),
    }
}
