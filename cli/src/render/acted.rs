//! The answer to an operation: how the job stands now.

use autoexec_model::view::JobView;
use serde_json::Value;

use super::{Look, json, style, text};
use crate::ui::Shown;

/// A job after an operation.
pub(crate) struct Acted(pub(crate) JobView);

impl Shown for Acted {
    fn human(&self, _: &Look) -> String {
        let view = &self.0;
        let reason =
            if view.reason.is_empty() { String::new() } else { format!(": {}", text::first_line(&view.reason)) };
        format!(
            "{} is {}{reason}\n",
            style::strong(&format!("job {} {}", view.id, view.name)),
            style::word(&view.state)(&view.state)
        )
    }

    fn plain(&self, _: &Look) -> String {
        format!("{}\t{}\n", self.0.id, self.0.state)
    }

    fn json(&self) -> Value {
        json::of(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::sample::{bare, coloured, job, look};

    #[test]
    fn the_new_state_is_said() {
        let mut view = job();
        view.state = "pausing".to_owned();
        assert_eq!(bare(&Acted(view.clone()).human(&look(80))), "job 17 roll-nginx is pausing\n");
        assert_eq!(coloured(&Acted(view.clone()).human(&look(80))), "^[1mjob 17 roll-nginx^[0m is ^[33mpausing^[39m\n");
        assert_eq!(Acted(view.clone()).plain(&look(80)), "17\tpausing\n");
        view.reason = "ada asked".to_owned();
        assert_eq!(bare(&Acted(view).human(&look(80))), "job 17 roll-nginx is pausing: ada asked\n");
    }
}
