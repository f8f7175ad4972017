//! `wait-http`: asks a URL until it answers as wanted.
//!
//! "As wanted" is a status, and a pattern in the body when one is given. Refused connections, unknown names and time-outs count as "not
//! yet": the service may still be starting. Fails when the time is up, with what was seen last, or at once when the request makes no sense.

use std::time::Duration;

use autoexec_model::millis::Millis;
use regex::bytes::{Regex, RegexBuilder};
use serde_json::json;

use super::call::{Call, Stop};
use super::expect::Statuses;
use super::http::headers;
use super::http_client::{Answer, Ask, AskError, Client, plain_url};
use super::poll::{Pace, Probe, millis, poll};

/// One request never takes longer, so that a silent server is asked more than once.
const LONGEST_TRY: Duration = Duration::from_secs(10);

/// Memory that a compiled pattern may take: 1 MiB is far beyond any pattern for a health page.
const MAX_PATTERN: usize = 1024 * 1024;

pub(super) fn run(call: &mut Call<'_>) -> Result<(), Stop> {
    let ask = Ask {
        method: call.text("method")?.unwrap_or("GET").to_owned(),
        url: call.required("url")?.to_owned(),
        headers: headers(call)?,
        body: None,
    };
    let expect = Statuses::parse(call.text("expect")?.unwrap_or("200-299")).map_err(Stop::Parameter)?;
    let pattern = call.text("pattern")?.map(compile).transpose()?;
    let pace = Pace {
        timeout: call.duration("timeout", Duration::from_secs(60))?,
        interval: call.duration("interval", Duration::from_secs(1))?,
    };
    let client = Client::new(call, &ask.url)?;
    let polled = poll(pace, |left| match client.ask(&ask, left.min(LONGEST_TRY)) {
        Ok(answer) => Ok(judge(&answer, &expect, pattern.as_ref())),
        Err(AskError::NoAnswer(why)) => Ok(Probe::NotYet((None, why))),
        Err(error @ AskError::Request(_)) => Err(Stop::from(error)),
    })?;
    let (status, seen) = polled.last;
    call.publish(&json!({
        "status": status,
        "attempts": polled.attempts,
        "waited_ms": millis(polled.waited),
    }))?;
    let name = plain_url(&ask.url);
    if polled.right {
        call.say(&format!("{name}: {seen}"));
        return Ok(());
    }
    let limit = Millis::from_millis(millis(pace.timeout));
    Err(Stop::Failed(format!("{name} did not answer as wanted within {limit}: {seen}")))
}

/// Is this the answer that is waited for? With what was seen, for people.
fn judge(answer: &Answer, expect: &Statuses, pattern: Option<&Regex>) -> Probe<(Option<u16>, String)> {
    let status = answer.status;
    if !expect.contains(status) {
        return Probe::NotYet((Some(status), format!("it answered {status}")));
    }
    match pattern {
        Some(pattern) if !pattern.is_match(&answer.body) => {
            Probe::NotYet((Some(status), format!("it answered {status}, but the pattern is not in the body")))
        }
        Some(_) | None => Probe::Right((Some(status), format!("it answered {status}"))),
    }
}

fn compile(pattern: &str) -> Result<Regex, Stop> {
    RegexBuilder::new(pattern)
        .size_limit(MAX_PATTERN)
        .build()
        .map_err(|error| Stop::Parameter(format!("pattern makes no sense: {error}")))
}
