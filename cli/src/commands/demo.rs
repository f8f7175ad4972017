//! `autoexec demo`: a rolling job over simulated targets, live, with a scheduler and two runners of its own beside the real one.
//!
//! The fleet and the job are ordinary files, built in; so is everything that happens to them.

use autoexec_model::api::{JobSource, Overrides, PlanRequest, Source, SubmitWhat};

use super::context::Context;
use super::run::{manner, submit};
use crate::args::{DemoArgs, Global};
use crate::error::Failure;
use crate::exit::Exit;
use crate::follow::{self, How};
use crate::render::{line, style};

const JOB: &str = include_str!("../../demo/job.yaml");
const HOSTS: &str = include_str!("../../demo/hosts.yaml");

/// Runs the verb. That some simulated targets fail is part of the show, not a failure of it.
pub(super) async fn demo(context: &Context, args: DemoArgs) -> Result<Exit, Failure> {
    let mut context = Context::new(Global { demo: true, ..context.global.clone() });
    context.ui.called_as_now();
    let ui = &context.ui;
    let mut link = context.link().await?;
    let reply = submit(&mut link, SubmitWhat::Plan(Box::new(request(&args)))).await?;
    ui.talk(&style::faint("a scheduler and the runners `runner-a` and `runner-b`; no target is real"));
    ui.talk(&line::submitted(&reply));
    let followed = follow::follow(ui, &link, reply.job.0, manner(ui)).await?;
    let how = followed.how;
    let exit = follow::finish(ui, &link, reply.job.0, followed).await?;
    for line in next(ui.program(), reply.job.0, reply.plan_digest.short()) {
        ui.talk(&line);
    }
    Ok(match how {
        How::Ended => Exit::Succeeded,
        How::Waits | How::Detached => exit,
    })
}

/// What to try next; each of them works as it stands.
fn next(program: &str, job: u64, plan: &str) -> Vec<String> {
    let commands = [
        (format!("{program} show {job} --targets"), "every target, and how it ended"),
        (format!("{program} output {job} web001"), "what one of them printed"),
        (format!("{program} explain {job}"), "why the job is where it is"),
        (format!("{program} run --plan {plan}"), "the same plan again, and nothing else"),
    ];
    let mut lines = vec![String::new(), style::strong("Try next")];
    lines.extend(
        commands.iter().map(|(command, why)| format!("  {}\n      {}", style::hint(command), style::faint(why))),
    );
    lines
}

fn request(args: &DemoArgs) -> PlanRequest {
    let source = |name: &str, text: String| Source { name: name.to_owned(), bytes: text.into_bytes() };
    PlanRequest {
        job: JobSource::File(source("demo/job.yaml", JOB.to_owned())),
        inventory: Some(source("demo/hosts.yaml", hosts(args))),
        overrides: Overrides { seed: args.seed, ..Overrides::default() },
        ..PlanRequest::default()
    }
}

/// The built-in fleet with another seed and size: three quarters of it in zone a.
fn hosts(args: &DemoArgs) -> String {
    let total = args.targets;
    let first = total - total / 4;
    // Numbers are as wide as in the file at least, so that names sort.
    let width = total.to_string().len().max(3);
    let range = |from: u32, to: u32| format!("web[{from:0width$}-{to:0width$}]");
    let mut hosts =
        HOSTS.replace("seed: 42", &format!("seed: {}", args.seed)).replace("web[001-150]", &range(1, first));
    if first < total {
        hosts = hosts.replace("web[151-200]", &range(first + 1, total));
    } else {
        // Too few for a second zone.
        hosts = hosts.lines().filter(|line| !line.contains("web[151-200]")).collect::<Vec<_>>().join("\n");
    }
    hosts
}

#[cfg(test)]
mod tests {
    use autoexec_model::nodeset;
    use expect_test::expect;

    use super::*;
    use crate::render::sample::bare;

    fn names(targets: u32) -> usize {
        let text = hosts(&DemoArgs { targets, seed: 7 });
        assert!(text.contains("seed: 7"), "{text}");
        let ranges = text.split('"').filter(|part| part.starts_with("web["));
        ranges.map(|range| nodeset::expand(range).expect(range).len()).sum()
    }

    #[test]
    fn the_fleet_has_the_size_that_was_asked_for() {
        for targets in [1, 2, 3, 4, 5, 200, 1_000, 10_000] {
            assert_eq!(names(targets), targets as usize, "{targets}");
        }
        assert_eq!(hosts(&DemoArgs { targets: 200, seed: 42 }), HOSTS);
    }

    #[test]
    fn four_commands_are_suggested() {
        expect![[r#"

            Try next
              autoexec --demo show 3 --targets
                  every target, and how it ended
              autoexec --demo output 3 web001
                  what one of them printed
              autoexec --demo explain 3
                  why the job is where it is
              autoexec --demo run --plan 3f9a07c41b22
                  the same plan again, and nothing else"#]]
        .assert_eq(&bare(&next("autoexec --demo", 3, "3f9a07c41b22").join("\n")));
    }
}
