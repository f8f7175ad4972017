//! From the command line to a request: files are read here, because the scheduler reads no file of the client.

mod folder;
mod inventory;
mod params;
mod plan;
mod secret;
mod source;

pub(crate) use folder::tool;
pub(crate) use plan::{absolute, plan};
pub(crate) use secret::secrets;
pub(crate) use source::optional;

use crate::error::Failure;

/// Who asks, for the record: the login name, or the number of the user.
pub(crate) fn by() -> String {
    let uid = nix::unistd::geteuid();
    let user = nix::unistd::User::from_uid(uid).ok().flatten();
    user.map_or_else(|| format!("uid {uid}"), |user| user.name)
}

/// A key that no other submit has, so that one whose answer was lost can be repeated.
pub(crate) fn idempotency_key() -> Result<String, Failure> {
    let mut bytes = [0_u8; 16];
    random(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn random(bytes: &mut [u8]) -> Result<(), Failure> {
    getrandom::fill(bytes).map_err(|error| Failure::Bug { what: format!("the system gives no random bytes: {error}") })
}
