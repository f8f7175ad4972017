//! Every message of the protocol with a full value, as bytes and as a reader, for tests that go through all of them.

use std::fmt::Debug;

use autoexec_model::api::*;
use autoexec_model::grant::*;
use autoexec_model::id::Epoch;
use autoexec_model::outcome::{Outcome, Verdict};
use autoexec_model::plan::*;
use autoexec_model::view::*;
use autoexec_wire::field::FieldError;
use autoexec_wire::pb;
use autoexec_wire::session::{Lease, RunnerMessage, SchedulerMessage};
use prost::Message;

use crate::samples::Samples;

/// What reading some bytes came to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Read {
    /// The value that the case is about.
    Same,
    /// Another value.
    Different(String),
    /// No protobuf of this message.
    NotProtobuf,
    /// A field that the model does not allow.
    Refused(FieldError),
}

/// Reads bytes and compares what came out with the value of the case.
pub(crate) type Reader = Box<dyn Fn(&[u8]) -> Read>;

/// One value of one message.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) bytes: Vec<u8>,
    pub(crate) read: Reader,
}

fn case<P, M>(model: M) -> Case
where
    P: Message + Default + From<M>,
    M: TryFrom<P, Error = FieldError> + Clone + PartialEq + Debug + 'static,
{
    Case {
        name: std::any::type_name::<P>(),
        bytes: P::from(model.clone()).encode_to_vec(),
        read: Box::new(move |bytes| match P::decode(bytes) {
            Err(_) => Read::NotProtobuf,
            Ok(message) => match M::try_from(message) {
                Err(error) => Read::Refused(error),
                Ok(back) if back == model => Read::Same,
                Ok(back) => Read::Different(format!("{back:?}")),
            },
        }),
    }
}

/// All of them.
pub(crate) fn all(s: &Samples) -> Vec<Case> {
    let mut cases = plain(s);
    cases.extend(s.operations().into_iter().map(case::<pb::Operation, Operation>));
    cases.extend(s.store_verbs().into_iter().map(case::<pb::StoreRequest, StoreVerb>));
    cases.extend(s.outcomes().into_iter().map(case::<pb::Outcome, Outcome>));
    for (outcome, verdict) in s.outcomes().into_iter().zip(Verdict::ALL.into_iter().cycle()) {
        cases.push(case::<pb::AttemptReport, AttemptReport>(s.report(outcome, verdict)));
    }
    for job in [JobRef::Id(17), JobRef::Last, JobRef::Name(s.text.clone())] {
        cases.push(case::<pb::JobRef, JobRef>(job));
    }
    cases.extend(variants_of_targets(s));
    cases.extend(from_runner(s).into_iter().map(case::<pb::RunnerMessage, RunnerMessage>));
    cases.extend(from_scheduler(s).into_iter().map(case::<pb::SchedulerMessage, SchedulerMessage>));
    cases
}

fn plain(s: &Samples) -> Vec<Case> {
    vec![
        case::<pb::PlanRequest, PlanRequest>(s.plan_request()),
        case::<pb::PlanRequest, PlanRequest>(s.command_request()),
        case::<pb::PlanReply, PlanReply>(s.plan_reply()),
        case::<pb::SubmitRequest, SubmitRequest>(s.submit()),
        case::<pb::SubmitRequest, SubmitRequest>(s.submit_known()),
        case::<pb::SubmitReply, SubmitReply>(s.submit_reply()),
        case::<pb::JobsQuery, JobsQuery>(s.jobs_query()),
        case::<pb::JobsQuery, JobsQuery>(JobsQuery::default()),
        case::<pb::JobsPage, JobsPage>(JobsPage { rows: vec![s.job_row()], more: true }),
        case::<pb::JobView, JobView>(s.job_view()),
        case::<pb::TargetsQuery, TargetsQuery>(s.targets_query()),
        case::<pb::TargetsQuery, TargetsQuery>(TargetsQuery::default()),
        case::<pb::TargetsPage, TargetsPage>(s.targets_page()),
        case::<pb::WatchUpdate, WatchUpdate>(s.watch_update()),
        case::<pb::OutputQuery, OutputQuery>(s.output_query()),
        case::<pb::OutputQuery, OutputQuery>(OutputQuery::default()),
        case::<pb::OutputPiece, OutputPiece>(s.output_piece()),
        case::<pb::Explanation, Explanation>(s.explanation()),
        case::<pb::ToolRow, ToolRow>(s.tool_row()),
        case::<pb::ToolHelp, ToolHelp>(s.tool_help()),
        case::<pb::ToolPackage, ToolPackage>(s.tool()),
        case::<pb::CheckReply, CheckReply>(CheckReply { report: s.lines(), ok: true }),
        case::<pb::TargetInfo, TargetInfo>(s.target_info()),
        case::<pb::DaemonInfo, DaemonInfo>(s.info()),
        case::<pb::StoreReply, StoreReply>(StoreReply {
            report: s.lines(),
            json: serde_json::json!([1, s.text]),
            ok: true,
        }),
        case::<pb::Grant, Grant>(s.grant()),
        case::<pb::Phase, Phase>(s.phase()),
        case::<pb::RunnerHello, RunnerHello>(s.hello()),
    ]
}

fn variants_of_targets(s: &Samples) -> Vec<Case> {
    let mut cases = vec![case::<pb::Target, Target>(s.target()), case::<pb::Target, Target>(s.bare_target())];
    for transport in [Transport::Ssh, Transport::Agent, Transport::Local, Transport::Sim] {
        cases.push(case::<pb::Target, Target>(Target { transport, ..s.bare_target() }));
    }
    for host_key in [HostKeyCheck::Verify, HostKeyCheck::AcceptNew, HostKeyCheck::Pinned(vec![]), HostKeyCheck::No] {
        cases.push(case::<pb::Connection, Connection>(Connection { host_key, ..Connection::default() }));
    }
    for place in [Place::Runner, Place::RunnerTarget, Place::Target, Place::Sql] {
        cases.push(case::<pb::Phase, Phase>(Phase { place, ..s.phase() }));
    }
    for on_failure in [OnFailure::Stop, OnFailure::Ignore, OnFailure::Continue] {
        cases.push(case::<pb::Step, Step>(Step { on_failure, ..s.script_step() }));
    }
    for method in [BecomeMethod::Sudo, BecomeMethod::Su] {
        cases.push(case::<pb::Become, BecomePlan>(BecomePlan { user: s.text.clone(), method, password: None }));
    }
    cases
}

/// Every message of a runner.
pub(crate) fn from_runner(s: &Samples) -> Vec<RunnerMessage> {
    let (attempt, epoch) = (s.attempt(), Epoch(s.number));
    let report = s.report(Outcome::Exited { code: 3 }, Verdict::Failed);
    vec![
        RunnerMessage::Hello(s.hello()),
        RunnerMessage::Accepted { attempts: vec![Lease { attempt, epoch }, Lease { attempt, epoch: Epoch(0) }] },
        RunnerMessage::Started { attempt, epoch, at: s.at(1) },
        RunnerMessage::Progress { attempt, epoch, step: s.number, attempt_try: 2 },
        RunnerMessage::Output { chunk: s.chunk(), epoch },
        RunnerMessage::Finished { attempt, epoch, report },
        RunnerMessage::Heartbeat { live: vec![s.live()], at: s.at(2) },
        RunnerMessage::Draining,
        RunnerMessage::NeedTool { digest: autoexec_model::id::Digest(s.text.clone()) },
        RunnerMessage::NeedFile { sha256: s.text.clone() },
    ]
}

/// Every message of a scheduler.
pub(crate) fn from_scheduler(s: &Samples) -> Vec<SchedulerMessage> {
    let (attempt, epoch) = (s.attempt(), Epoch(s.number));
    vec![
        SchedulerMessage::Welcome {
            instance: s.text.clone(),
            keep: vec![Lease { attempt, epoch }],
            stop: vec![Lease { attempt, epoch: Epoch(u32::MAX) }],
            heartbeat_ms: 1,
            lease_ms: u64::MAX,
        },
        SchedulerMessage::Grant(Box::new(s.grant())),
        SchedulerMessage::Stop { attempt, epoch, cancel: true, reason: s.text.clone() },
        SchedulerMessage::Revoke { attempt, epoch },
        SchedulerMessage::Renewed { until: s.at(1) },
        SchedulerMessage::OutputAck { attempt, stream: Stream::Stderr, offset: u64::MAX },
        SchedulerMessage::FinishedAck { attempt, epoch },
        SchedulerMessage::Tool(s.tool()),
        SchedulerMessage::File { sha256: s.text.clone(), bytes: vec![0, 0xff], offset: u64::MAX, end: true },
    ]
}
