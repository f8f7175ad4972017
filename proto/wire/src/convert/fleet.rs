//! Tools, targets of an inventory, schemas.

use autoexec_model::api::{CheckReply, SchemaKind, TargetInfo, ToolHelp, ToolRow};

message!(ToolRow <=> ToolRow { name, summary, places, risk, digest, origin });
message!(ToolHelp <=> ToolHelp { manifest, help; tool });
message!(CheckReply <=> CheckReply { report, ok });
message!(TargetInfo <=> TargetInfo { name, address, transport, port, user, labels, groups });
choice!(SchemaKind <=> SchemaKind { Job, Inventory, Tool });
