//! What programs read: the views as they are, with times in RFC 3339.

use autoexec_model::id::UnixMillis;
use serde::Serialize;
use serde_json::Value;

use super::time;

/// A view as JSON. Fields that end in `_at` and hold milliseconds become RFC 3339 texts; what was published by steps is left alone.
pub(crate) fn of(view: &impl Serialize) -> Value {
    // A view is plain data: text keys, no number that JSON cannot hold. An error would be a bug, and is said in the place of the view.
    let mut value = serde_json::to_value(view).unwrap_or_else(|error| Value::String(format!("bug: {error}")));
    readable_times(&mut value);
    value
}

fn readable_times(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                let millis = field.as_u64().filter(|_| name.ends_with("_at"));
                if let Some(millis) = millis {
                    *field = Value::String(time::rfc3339(UnixMillis(millis)));
                } else if name != "outputs" {
                    readable_times(field);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(readable_times),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_our_own_times_are_changed() {
        let view = json!({
            "started_at": 1_773_489_600_000_u64, "finished_at": null, "at": 7, "exit_code": 1,
            "batches": [{"started_at": 0}], "outputs": {"made_at": 5},
        });
        let expected = json!({
            "started_at": "2026-03-14T12:00:00.000Z", "finished_at": null, "at": 7, "exit_code": 1,
            "batches": [{"started_at": "1970-01-01T00:00:00.000Z"}], "outputs": {"made_at": 5},
        });
        assert_eq!(of(&view), expected);
    }
}
