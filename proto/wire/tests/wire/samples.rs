//! Values of every type with nothing left out, made from one text and one number so that a property test can vary them.

use std::collections::{BTreeMap, BTreeSet};

use autoexec_model::api::*;
use autoexec_model::grant::*;
use autoexec_model::id::*;
use autoexec_model::millis::Millis;
use autoexec_model::outcome::{Outcome, Verdict};
use autoexec_model::plan::*;
use autoexec_model::view::*;
use serde_json::{Map, Value, json};

/// The text and the number that everything is made of.
#[derive(Debug, Clone)]
pub(crate) struct Samples {
    pub(crate) text: String,
    pub(crate) number: u32,
}

impl Samples {
    pub(crate) fn new(text: &str, number: u32) -> Self {
        Self { text: text.to_owned(), number }
    }

    fn s(&self, suffix: &str) -> String {
        format!("{}{suffix}", self.text)
    }

    fn big(&self, plus: u64) -> u64 {
        u64::from(self.number) * 3_000_000_000 + plus
    }

    pub(crate) fn at(&self, plus: u64) -> UnixMillis {
        UnixMillis(self.big(plus))
    }

    fn map(&self) -> Map<String, Value> {
        let mut map = Map::new();
        map.insert(self.s("z"), json!({ "b": [1, -2, 0.5, null, true], "a": self.text }));
        map.insert(self.s("a"), json!(u64::MAX));
        map
    }

    fn labels(&self) -> BTreeMap<String, String> {
        BTreeMap::from([(self.s("k"), self.s("v")), ("zone".into(), String::new())])
    }

    fn counts(&self) -> BTreeMap<String, u32> {
        BTreeMap::from([("succeeded".into(), self.number), (self.s("x"), 0)])
    }

    pub(crate) fn attempt(&self) -> AttemptId {
        AttemptId { job: JobId(self.big(1)), task: TaskIx(self.number), n: 1 }
    }

    pub(crate) fn target(&self) -> Target {
        Target {
            name: self.s("name"),
            address: self.s("address"),
            transport: Transport::Agent,
            port: Some(u16::MAX),
            user: Some(self.s("user")),
            labels: self.labels(),
            groups: BTreeSet::from([self.s("g1"), self.s("g2")]),
            vars: self.map(),
            connection: Connection {
                key: Some(self.s("key")),
                password: Some(self.s("{{ params.p }}")),
                host_key: HostKeyCheck::Pinned(vec![self.s("SHA256:x"), String::new()]),
                known_hosts: Some(self.s("kh")),
                jump: vec![self.s("a@b:22"), self.s("c")],
                connect_timeout: Some(Millis::from_millis(self.big(5))),
                ssh_config: true,
                encoding: Some(self.s("gbk")),
                work_dir: Some(self.s("/tmp")),
                sim: Some(SimOptions {
                    seed: u64::MAX,
                    latency: Millis::from_millis(1),
                    jitter: Millis::from_millis(self.big(2)),
                    fail_ppm: self.number,
                    unreachable_ppm: 2,
                    hang_ppm: 3,
                    output: Some(self.s("out")),
                }),
            },
        }
    }

    /// A target of which everything optional is absent.
    pub(crate) fn bare_target(&self) -> Target {
        Target {
            name: String::new(),
            address: String::new(),
            transport: Transport::Ssh,
            port: None,
            user: None,
            labels: BTreeMap::new(),
            groups: BTreeSet::new(),
            vars: Map::new(),
            connection: Connection::default(),
        }
    }

    pub(crate) fn tool_step(&self) -> Step {
        Step {
            id: self.s("id"),
            action: Action::Tool { name: self.s("http"), digest: Digest::of(self.text.as_bytes()), with: self.map() },
            env: vec![(self.s("B"), self.s("1")), (self.s("A"), String::new()), (self.s("B"), self.s("again"))],
            become_user: Some(BecomePlan {
                user: self.s("root"),
                method: BecomeMethod::Su,
                password: Some(self.s("{{ p }}")),
            }),
            workdir: Some(self.s("/srv")),
            timeout: Millis::from_millis(self.big(9)),
            retries: Retries {
                max: self.number,
                delay: Millis::from_millis(2),
                backoff_milli: 1500,
                max_delay: Millis::from_millis(self.big(3)),
            },
            on_failure: OnFailure::Continue,
            idempotent: true,
            when: Some(self.s("params.x")),
            success_codes: vec![0, 3, -1, i32::MAX],
            no_log: true,
            keep_stdout: true,
        }
    }

    pub(crate) fn script_step(&self) -> Step {
        Step {
            id: String::new(),
            action: Action::Run {
                script: self.s("set -eu\n"),
                interpreter: vec!["sh".into(), self.s("-x")],
                args: vec![self.s("a b"), String::new()],
                stdin: Some(self.s("in")),
            },
            env: Vec::new(),
            become_user: None,
            workdir: None,
            timeout: Millis::ZERO,
            retries: Retries::NONE,
            on_failure: OnFailure::Stop,
            idempotent: false,
            when: None,
            success_codes: vec![0],
            no_log: false,
            keep_stdout: false,
        }
    }

    pub(crate) fn phase(&self) -> Phase {
        Phase {
            name: self.s("upgrade"),
            place: Place::RunnerTarget,
            health: true,
            once_in: Some(0),
            when: Some(self.s("true")),
            parallel: Some(self.number),
            steps: vec![self.tool_step(), self.script_step()],
        }
    }

    pub(crate) fn grant(&self) -> Grant {
        Grant {
            instance: self.s("inst"),
            job_name: self.s("roll"),
            phase: self.phase(),
            params: self.map(),
            secrets: vec![self.s("password")],
            all: self.map(),
            files: vec![GrantFile { param: self.s("p"), name: self.s("n"), sha256: self.s("abc"), size: self.big(1) }],
            attempts: vec![
                GrantAttempt {
                    again: true,
                    attempt: self.attempt(),
                    epoch: Epoch(self.number),
                    target: Some(self.target()),
                    phases: self.map(),
                    resume: Some(Resume { started_at: self.at(1), step: self.number, stdout: self.big(1), stderr: 7 }),
                },
                GrantAttempt {
                    again: true,
                    attempt: self.attempt(),
                    epoch: Epoch(0),
                    target: None,
                    phases: Map::new(),
                    resume: None,
                },
                GrantAttempt {
                    again: true,
                    attempt: self.attempt(),
                    epoch: Epoch(1),
                    target: Some(self.bare_target()),
                    phases: Map::new(),
                    resume: None,
                },
            ],
        }
    }

    pub(crate) fn live(&self) -> LiveAttempt {
        LiveAttempt { attempt: self.attempt(), epoch: Epoch(self.number), stdout: self.big(1), stderr: self.big(2) }
    }

    pub(crate) fn hello(&self) -> RunnerHello {
        RunnerHello {
            runner: RunnerId(self.s("r1")),
            version: self.s("0.1"),
            capacity: self.number,
            labels: self.labels(),
            live: vec![self.live(), self.live()],
        }
    }

    pub(crate) fn chunk(&self) -> OutputChunk {
        OutputChunk {
            attempt: self.attempt(),
            stream: Stream::Stderr,
            offset: self.big(4),
            bytes: [self.text.as_bytes(), &[0, 0xff, b'\n']].concat(),
        }
    }

    pub(crate) fn report(&self, outcome: Outcome, verdict: Verdict) -> AttemptReport {
        AttemptReport {
            outcome: outcome.clone(),
            verdict,
            message: self.s("message"),
            decided_by: Some(self.s("install")),
            steps: vec![
                StepReport {
                    id: self.s("install"),
                    outcome: Some(outcome),
                    verdict,
                    tries: self.number,
                    millis: self.big(1),
                    outputs: self.map(),
                    message: self.s("m"),
                },
                StepReport {
                    id: String::new(),
                    outcome: None,
                    verdict: Verdict::Skipped,
                    tries: 0,
                    millis: 0,
                    outputs: Map::new(),
                    message: String::new(),
                },
            ],
            cluster: Some(Digest(self.s("d"))),
            stdout: self.big(1),
            stderr: self.big(2),
            started_at: self.at(3),
            finished_at: self.at(4),
        }
    }

    pub(crate) fn tool(&self) -> ToolPackage {
        ToolPackage {
            name: self.s("service"),
            digest: Digest(self.s("dg")),
            manifest: self.s("name: service\n"),
            files: vec![ToolFile { name: self.s("bin/run"), mode: 0o755, bytes: vec![0, 1, 0xfe] }],
        }
    }

    pub(crate) fn source(&self) -> Source {
        Source { name: self.s("roll.yaml"), bytes: vec![0xff, b'a'] }
    }

    pub(crate) fn plan_request(&self) -> PlanRequest {
        PlanRequest {
            job: JobSource::File(self.source()),
            inventory: Some(self.source()),
            targets: Some(self.s("@web")),
            exclude: Some(self.s("web3")),
            params: vec![(self.s("version"), self.s("1.2")), (self.s("version"), String::new())],
            secrets: vec![(self.s("password"), self.s("x"))],
            files: vec![ParamFile { param: self.s("f"), name: self.s("f.txt"), bytes: vec![1, 2, 0] }],
            overrides: Overrides {
                batches: Some(self.s("1 5%")),
                parallel: Some(self.number),
                timeout: Some(self.s("5m")),
                become_user: Some(self.s("root")),
                host_key: Some(self.s("no")),
                user: Some(self.s("u")),
                key: Some(self.s("k")),
                transport: Some(self.s("sim")),
                seed: self.big(7),
                name: Some(self.s("n")),
                between: Some(self.s("confirm")),
                budget: Some(self.s("failed=2%")),
            },
            tools: vec![self.tool()],
        }
    }

    pub(crate) fn command_request(&self) -> PlanRequest {
        PlanRequest {
            job: JobSource::Command { words: vec![self.s("echo"), self.s("a b")] },
            overrides: Overrides { seed: 1, ..Overrides::default() },
            ..PlanRequest::default()
        }
    }

    pub(crate) fn lines(&self) -> Vec<ReportLine> {
        [LineKind::Heading, LineKind::Text, LineKind::Warning, LineKind::Faint]
            .map(|kind| ReportLine { kind, indent: self.number, text: self.s("line") })
            .into()
    }

    pub(crate) fn plan_reply(&self) -> PlanReply {
        PlanReply { digest: Digest(self.s("d")), plan: Value::Object(self.map()), report: self.lines() }
    }

    pub(crate) fn submit(&self) -> SubmitRequest {
        SubmitRequest {
            what: SubmitWhat::Plan(Box::new(self.plan_request())),
            by: self.s("me"),
            idempotency_key: Some(self.s("key")),
        }
    }

    pub(crate) fn submit_known(&self) -> SubmitRequest {
        SubmitRequest {
            what: SubmitWhat::Digest { digest: self.s("d"), secrets: vec![(self.s("p"), self.s("v"))] },
            by: String::new(),
            idempotency_key: None,
        }
    }

    pub(crate) fn submit_reply(&self) -> SubmitReply {
        SubmitReply {
            job: JobId(self.big(1)),
            plan_digest: Digest(self.s("d")),
            targets: self.number,
            batches: 4,
            warnings: vec![self.s("w")],
            known: true,
        }
    }

    pub(crate) fn jobs_query(&self) -> JobsQuery {
        JobsQuery {
            states: vec![self.s("running")],
            name: Some(self.s("roll*")),
            limit: self.number,
            before: Some(self.big(1)),
        }
    }

    pub(crate) fn job_row(&self) -> JobRow {
        JobRow {
            id: self.big(1),
            name: self.s("roll"),
            state: self.s("running"),
            by: self.s("me"),
            created_at: self.at(1),
            started_at: Some(self.at(2)),
            finished_at: None,
            targets: self.number,
            counts: self.counts(),
        }
    }

    pub(crate) fn job_view(&self) -> JobView {
        JobView {
            id: self.big(1),
            name: self.s("roll"),
            state: self.s("failed"),
            reason: self.s("reason"),
            plan_digest: self.s("d"),
            by: self.s("me"),
            created_at: self.at(1),
            started_at: Some(self.at(2)),
            finished_at: Some(self.at(3)),
            revision: self.big(9),
            targets_total: self.number,
            counts: self.counts(),
            open: self.counts(),
            outcomes: self.counts(),
            batches: vec![BatchView {
                index: 1,
                group: self.s("g"),
                size: self.number,
                state: self.s("held"),
                phase: self.s("p"),
                counts: self.counts(),
                running: 3,
                targets: self.s("web[01-40]"),
                started_at: Some(UnixMillis(0)),
                finished_at: None,
            }],
            phases: vec![PhaseView {
                group: self.s("g"),
                name: self.s("p"),
                place: self.s("sql"),
                counts: self.counts(),
            }],
            clusters: vec![ClusterView {
                size: self.number,
                targets: self.s("t"),
                verdict: self.s("failed"),
                outcome: self.s("exit 3"),
                sample: self.s("boom\n"),
            }],
            exceeded: vec![self.s("failed")],
            failures: vec![FailureView {
                target: self.s("t"),
                phase: self.s("p"),
                step: Some(self.s("s")),
                verdict: self.s("failed"),
                outcome: self.s("exit 3"),
                message: self.s("m"),
            }],
        }
    }

    pub(crate) fn target_row(&self) -> TargetRow {
        TargetRow {
            name: self.s("web1"),
            verdict: self.s("failed"),
            outcome: Some(self.s("exited")),
            exit_code: Some(-3),
            attempts: self.number,
            batch: 1,
            phase: self.s("p"),
            runner: Some(self.s("r1")),
            started_at: Some(self.at(1)),
            finished_at: Some(self.at(2)),
            message: self.s("m"),
            outputs: Value::Object(self.map()),
        }
    }

    pub(crate) fn targets_query(&self) -> TargetsQuery {
        TargetsQuery {
            job: self.big(1),
            targets: Some(self.s("web*")),
            verdicts: vec![self.s("failed")],
            since: self.big(2),
            outputs: true,
            limit: self.number,
            offset: 3,
        }
    }

    pub(crate) fn targets_page(&self) -> TargetsPage {
        let bare =
            TargetRow { outcome: None, exit_code: None, runner: None, outputs: Value::Null, ..self.target_row() };
        TargetsPage { rows: vec![self.target_row(), bare], total: self.number, revision: self.big(1) }
    }

    pub(crate) fn watch_update(&self) -> WatchUpdate {
        WatchUpdate {
            job: self.job_view(),
            lines: vec![WatchLine { at: self.at(1), text: self.s("batch 1"), bad: true }],
        }
    }

    pub(crate) fn output_query(&self) -> OutputQuery {
        OutputQuery {
            job: self.big(1),
            targets: Some(self.s("web*")),
            phase: Some(self.s("p")),
            stream: Some(Stream::Stderr),
            follow: true,
            attempt: Some(self.number),
        }
    }

    pub(crate) fn output_piece(&self) -> OutputPiece {
        OutputPiece {
            attempt: self.attempt(),
            target: self.s("web1"),
            phase: self.s("p"),
            stream: Stream::Stdout,
            offset: self.big(1),
            bytes: vec![0xff, 0, b'x'],
            end: true,
        }
    }

    pub(crate) fn explanation(&self) -> Explanation {
        Explanation {
            subject: self.s("job 17"),
            state: self.s("waiting"),
            code: self.s("window_full"),
            reason: self.s("r"),
            next: vec![self.s("n")],
        }
    }

    pub(crate) fn tool_row(&self) -> ToolRow {
        ToolRow {
            name: self.s("http"),
            summary: self.s("sum"),
            places: vec![self.s("runner")],
            risk: self.s("low"),
            digest: Digest(self.s("d")),
            origin: self.s("shipped"),
        }
    }

    pub(crate) fn tool_help(&self) -> ToolHelp {
        ToolHelp { tool: self.tool_row(), manifest: self.s("name: http"), help: self.lines() }
    }

    pub(crate) fn target_info(&self) -> TargetInfo {
        TargetInfo {
            name: self.s("web1"),
            address: self.s("10.0.0.1"),
            transport: Transport::Sim,
            port: Some(0),
            user: Some(self.s("u")),
            labels: self.labels(),
            groups: BTreeSet::from([self.s("all")]),
        }
    }

    pub(crate) fn info(&self) -> DaemonInfo {
        DaemonInfo {
            version: self.s("0.1"),
            pid: self.number,
            instance: self.s("i"),
            state_dir: self.s("/var/lib"),
            started_at: self.at(1),
            live_jobs: 2,
            runners: vec![RunnerRow {
                name: self.s("r"),
                connected: true,
                live: 1,
                capacity: self.number,
                version: self.s("v"),
            }],
            recovery: vec![self.s("torn tail")],
        }
    }

    pub(crate) fn operations(&self) -> Vec<Operation> {
        vec![
            Operation::Pause,
            Operation::Resume,
            Operation::Cancel { reason: self.s("why") },
            Operation::Retry { what: RetryWhat::Failed },
            Operation::Retry { what: RetryWhat::All },
            Operation::Retry { what: RetryWhat::Targets(self.s("web1")) },
            Operation::Confirm,
            Operation::Reject,
            Operation::Skip { targets: self.s("web1") },
            Operation::Ignore { targets: self.s("web1") },
            Operation::Resolve { targets: self.s("web1"), succeeded: true },
            Operation::Parallel { parallel: self.number },
        ]
    }

    pub(crate) fn store_verbs(&self) -> Vec<StoreVerb> {
        vec![
            StoreVerb::Verify,
            StoreVerb::Backup { to: self.s("/backup") },
            StoreVerb::Stats,
            StoreVerb::Prune { max_age: Some(self.big(1)), max_bytes: None },
            StoreVerb::Prune { max_age: None, max_bytes: Some(0) },
        ]
    }

    pub(crate) fn outcomes(&self) -> Vec<Outcome> {
        vec![
            Outcome::Exited { code: 0 },
            Outcome::Exited { code: i32::MIN },
            Outcome::Signalled { signal: 9 },
            Outcome::TimedOut,
            Outcome::FailedToStart,
            Outcome::Unreachable,
            Outcome::Interrupted,
            Outcome::Killed,
            Outcome::KillUnconfirmed,
            Outcome::Rejected,
            Outcome::Cancelled,
        ]
    }
}
