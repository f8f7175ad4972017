//! What readers get: views of jobs, batches, targets and clusters.

use autoexec_model::view::{BatchView, ClusterView, Explanation, FailureView, JobRow, JobView, PhaseView, TargetRow};

message!(JobRow <=> JobRow { id, name, state, by, created_at, started_at, finished_at, targets, counts });
message!(JobView <=> JobView {
    id, name, state, reason, plan_digest, by, created_at, started_at, finished_at, revision, targets_total, counts, open, outcomes,
    batches, phases, clusters, exceeded, failures
});
message!(BatchView <=> BatchView { index, group, size, state, phase, counts, running, targets, started_at, finished_at });
message!(PhaseView <=> PhaseView { group, name, place, counts });
message!(ClusterView <=> ClusterView { size, targets, verdict, outcome, sample });
message!(FailureView <=> FailureView { target, phase, step, verdict, outcome, message });
message!(TargetRow <=> TargetRow {
    name, verdict, outcome, exit_code, attempts, batch, phase, runner, started_at, finished_at, message, outputs
});
message!(Explanation <=> Explanation { subject, state, code, reason, next });
