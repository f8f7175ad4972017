//! `autoexec store`: verify, back up, measure and prune the store. A verify that finds damage ends with 1.

use autoexec_model::api::StoreVerb;

use super::context::Context;
use crate::args::StoreVerbArgs;
use crate::error::Failure;
use crate::exit::Exit;

/// Runs the verb.
pub(super) async fn store(context: &Context, verb: StoreVerbArgs) -> Result<Exit, Failure> {
    let verb = match verb {
        StoreVerbArgs::Verify => StoreVerb::Verify,
        StoreVerbArgs::Stats => StoreVerb::Stats,
        StoreVerbArgs::Prune(args) => StoreVerb::Prune { max_age: args.older_than, max_bytes: args.to_size },
        StoreVerbArgs::Backup { folder } => {
            // The scheduler runs in another folder.
            let path = std::path::absolute(&folder).map_err(|source| Failure::Read { path: folder.clone(), source })?;
            StoreVerb::Backup { to: path.display().to_string() }
        }
    };
    let link = context.link().await?;
    let reply = link.client.store(verb).await?;
    context.ui.show(&reply)?;
    Ok(if reply.ok { Exit::Succeeded } else { Exit::JobFailed })
}
