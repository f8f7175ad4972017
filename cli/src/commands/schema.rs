//! `autoexec schema`: the JSON Schema of a format, for editors and checks.

use autoexec_model::api::SchemaKind;

use super::context::Context;
use crate::args::{SchemaArgs, SchemaWord};
use crate::error::Failure;
use crate::exit::Exit;

/// Runs the verb.
pub(super) async fn schema(context: &Context, args: &SchemaArgs) -> Result<Exit, Failure> {
    let kind = match args.kind {
        SchemaWord::Job => SchemaKind::Job,
        SchemaWord::Inventory => SchemaKind::Inventory,
        SchemaWord::Tool => SchemaKind::Tool,
    };
    let link = context.link().await?;
    let text = link.client.schema(kind).await?;
    context.ui.data(&format!("{}\n", text.trim_end()))?;
    Ok(Exit::Succeeded)
}
