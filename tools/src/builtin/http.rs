//! `http`: one HTTP request; succeeds when the status is expected.
//!
//! Outputs status, headers, body (at most 64 KiB, lossily as text), the body read as JSON when it is, and the final address. They are
//! published whenever there is an answer, expected or not. Fails when nobody answers, when the status is not expected, or when the
//! request makes no sense. A request that changes something is not repeated here: that is the step's choice.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::call::{Call, Stop};
use super::expect::Statuses;
use super::http_client::{Answer, Ask, Client, plain_url};

/// Of an unexpected answer this much is shown, for people: bytes.
const SHOWN: usize = 2048;

/// Outputs larger than this are refused by the runner, so the body gives way first: bytes of JSON.
const MAX_OUTPUTS: usize = 240 * 1024;

pub(super) fn run(call: &mut Call<'_>) -> Result<(), Stop> {
    let ask = Ask {
        method: call.text("method")?.unwrap_or("GET").to_owned(),
        url: call.required("url")?.to_owned(),
        headers: headers(call)?,
        body: call.text("body")?.map(str::to_owned),
    };
    let expect = Statuses::parse(call.text("expect")?.unwrap_or("200-299")).map_err(Stop::Parameter)?;
    let timeout = call.duration("timeout", Duration::from_secs(30))?;
    let client = Client::new(call, &ask.url)?;

    let name = format!("{} {}", ask.method, plain_url(&ask.url));
    let answer = client.ask(&ask, timeout).map_err(|error| match Stop::from(error) {
        Stop::Failed(why) => Stop::Failed(format!("{name}: {why}")),
        other => other,
    })?;
    call.publish(&outputs(&answer))?;
    call.say(&format!("{name} -> {}", answer.status));
    if expect.contains(answer.status) {
        return Ok(());
    }
    let shown = &answer.body[..answer.body.len().min(SHOWN)];
    if !shown.is_empty() {
        call.warn(&String::from_utf8_lossy(shown));
    }
    Err(Stop::Failed(format!("{name} answered {}, which is not expected", answer.status)))
}

/// The headers as given, with `Authorization` from `bearer` when that is given.
pub(super) fn headers(call: &Call<'_>) -> Result<Vec<(String, String)>, Stop> {
    let mut headers = call.pairs("headers")?;
    if let Some(token) = call.text("bearer")? {
        headers.push(("authorization".to_owned(), format!("Bearer {token}")));
    }
    Ok(headers)
}

fn outputs(answer: &Answer) -> Value {
    let mut headers = Map::new();
    for (name, value) in &answer.headers {
        // A header that comes twice is joined, as HTTP allows.
        match headers.get_mut(name) {
            Some(Value::String(all)) => {
                all.push_str(", ");
                all.push_str(value);
            }
            _ => {
                headers.insert(name.clone(), Value::String(value.clone()));
            }
        }
    }
    let json: Value =
        if answer.truncated { Value::Null } else { serde_json::from_slice(&answer.body).unwrap_or(Value::Null) };
    let mut outputs = json!({
        "status": answer.status,
        "url": answer.url,
        "headers": headers,
        "body": String::from_utf8_lossy(&answer.body),
        "body_truncated": answer.truncated,
        "json": json,
    });
    if outputs.to_string().len() > MAX_OUTPUTS {
        outputs["body"] = Value::String(String::new());
        outputs["json"] = Value::Null;
        outputs["body_truncated"] = Value::Bool(true);
    }
    outputs
}
