//! Grants and the packages that travel beside them.

use autoexec_model::grant::{Grant, GrantAttempt, GrantFile, Resume, RunnerHello, ToolFile, ToolPackage};

message!(Grant <=> Grant { instance, job_name, params, secrets, files, attempts, all; phase });
message!(GrantFile <=> GrantFile { param, name, sha256, size });
message!(GrantAttempt <=> GrantAttempt { epoch, target, phases, resume, again; attempt });
message!(Resume <=> Resume { started_at, step, stdout, stderr });
message!(RunnerHello <=> RunnerHello { runner, version, capacity, labels, live });
message!(ToolPackage <=> ToolPackage { name, digest, manifest, files });
message!(ToolFile <=> ToolFile { name, mode, bytes });
