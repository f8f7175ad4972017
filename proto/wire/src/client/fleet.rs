//! Requests about what there is to work with.

use autoexec_model::api::{CheckReply, SchemaKind, Source, TargetInfo, ToolHelp, ToolRow};
use autoexec_model::grant::ToolPackage;
use autoexec_model::refusal::Refusal;

use super::call::{LARGE, SMALL, call, raw, unreadable};
use super::connection::Client;
use crate::convert::{Decode, Encode};
use crate::pb;

impl Client {
    /// The catalogue of tools.
    ///
    /// # Errors
    /// The scheduler's refusal.
    pub async fn tools(&self) -> Result<Vec<ToolRow>, Refusal> {
        let mut fleet = self.fleet_client();
        let message = pb::ListToolsRequest {};
        let reply: pb::ListToolsReply = raw(message, SMALL, async |message| fleet.list_tools(message).await).await?;
        reply.tools.decode().map_err(|error| unreadable(error.inside("tools")))
    }

    /// One tool, explained.
    ///
    /// # Errors
    /// The scheduler's refusal.
    pub async fn tool(&self, name: String) -> Result<ToolHelp, Refusal> {
        let mut fleet = self.fleet_client();
        call(pb::ShowToolRequest { name }, SMALL, async |message| fleet.show_tool(message).await).await
    }

    /// Whether a tool of this host can be used as it is.
    ///
    /// # Errors
    /// The scheduler's refusal; [`Code::Exhausted`](autoexec_model::refusal::Code::Exhausted) when the tool is larger than [`MAX_LARGE_MESSAGE`](crate::limits::MAX_LARGE_MESSAGE).
    pub async fn check_tool(&self, tool: ToolPackage) -> Result<CheckReply, Refusal> {
        let mut fleet = self.fleet_client();
        let message: pb::ToolPackage = tool.encode();
        call(message, LARGE, async |message| fleet.check_tool(message).await).await
    }

    /// The targets that a selector chooses from an inventory.
    ///
    /// # Errors
    /// The scheduler's refusal; [`Code::Exhausted`](autoexec_model::refusal::Code::Exhausted) when the inventory is larger than [`MAX_LARGE_MESSAGE`](crate::limits::MAX_LARGE_MESSAGE).
    pub async fn list_targets(
        &self,
        inventory: Option<Source>,
        targets: Option<String>,
    ) -> Result<Vec<TargetInfo>, Refusal> {
        let mut fleet = self.fleet_client();
        let message = pb::ListTargetsRequest { inventory: inventory.encode(), targets };
        let reply: pb::ListTargetsReply =
            raw(message, LARGE, async |message| fleet.list_targets(message).await).await?;
        reply.targets.decode().map_err(|error| unreadable(error.inside("targets")))
    }

    /// The JSON Schema of a format that engineers write, as text.
    ///
    /// # Errors
    /// The scheduler's refusal.
    pub async fn schema(&self, kind: SchemaKind) -> Result<String, Refusal> {
        let mut fleet = self.fleet_client();
        let message = pb::SchemaRequest { kind: kind.encode() };
        let reply: pb::SchemaReply = raw(message, SMALL, async |message| fleet.schema(message).await).await?;
        Ok(reply.json)
    }
}
