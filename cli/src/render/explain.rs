//! Why something is where it is.

use autoexec_model::view::Explanation;
use serde_json::{Value, json};

use super::table::{Cell, Table};
use super::{Look, style, text};
use crate::ui::Shown;

/// What the scheduler explained.
pub(crate) struct Explained(pub(crate) Vec<Explanation>);

impl Shown for Explained {
    fn human(&self, _: &Look) -> String {
        let mut shown = String::new();
        for one in &self.0 {
            let word = style::word(&one.state)(&one.state);
            shown.push_str(&format!("{} is {word}: {}\n", style::strong(&one.subject), text::harmless(&one.reason)));
            for next in &one.next {
                shown.push_str(&format!("  {} {}\n", style::hint("next:"), text::harmless(next)));
            }
        }
        shown
    }

    fn plain(&self, _: &Look) -> String {
        let mut table = Table::new(&[]);
        for one in &self.0 {
            table.row(vec![
                Cell::plain(&one.subject),
                Cell::plain(&one.state),
                Cell::plain(&one.code),
                Cell::plain(&one.reason),
                Cell::plain(one.next.join("; ")),
            ]);
        }
        table.plain()
    }

    fn json(&self) -> Value {
        json!({ "explanations": self.0 })
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::render::sample::{bare, coloured, look};

    #[test]
    fn a_reason_and_what_moves_it() {
        let explained = Explained(vec![
            Explanation {
                subject: "job 17".to_owned(),
                state: "paused".to_owned(),
                code: "paused".to_owned(),
                reason: "ada paused it".to_owned(),
                next: vec!["autoexec resume 17".to_owned(), "autoexec cancel 17".to_owned()],
            },
            Explanation {
                subject: "web07".to_owned(),
                state: "waiting".to_owned(),
                code: "batch_not_reached".to_owned(),
                reason: "batch 3 comes after batch 2".to_owned(),
                next: Vec::new(),
            },
        ]);
        expect![[r#"
            job 17 is paused: ada paused it
              next: autoexec resume 17
              next: autoexec cancel 17
            web07 is waiting: batch 3 comes after batch 2
        "#]]
        .assert_eq(&bare(&explained.human(&look(80))));
        expect![[r#"
            ^[1mjob 17^[0m is ^[33mpaused^[39m: ada paused it
              ^[36mnext:^[39m autoexec resume 17
              ^[36mnext:^[39m autoexec cancel 17
            ^[1mweb07^[0m is waiting: batch 3 comes after batch 2
        "#]]
        .assert_eq(&coloured(&explained.human(&look(80))));
        expect![[r#"
            job 17	paused	paused	ada paused it	autoexec resume 17; autoexec cancel 17
            web07	waiting	batch_not_reached	batch 3 comes after batch 2	-
        "#]]
        .assert_eq(&explained.plain(&look(80)));
        expect![[r#"{"explanations":[{"subject":"job 17","state":"paused","code":"paused","reason":"ada paused it","next":["autoexec resume 17","autoexec cancel 17"]},{"subject":"web07","state":"waiting","code":"batch_not_reached","reason":"batch 3 comes after batch 2","next":[]}]}"#]].assert_eq(&explained.json().to_string());
    }
}
