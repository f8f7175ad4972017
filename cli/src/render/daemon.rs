//! The local scheduler, as `autoexec up` prints it.

use autoexec_model::api::{DaemonInfo, RunnerRow};
use serde_json::Value;

use super::table::{Cell, Table};
use super::{Look, json, style, text, time};
use crate::ui::Shown;

/// A scheduler that runs.
pub(crate) struct Running {
    /// What it says of itself.
    pub(crate) info: DaemonInfo,
    /// Where it is reached.
    pub(crate) socket: String,
}

impl Running {
    fn facts(&self, started: String) -> Vec<(&'static str, String)> {
        let info = &self.info;
        let mut facts = vec![
            ("pid", info.pid.to_string()),
            ("version", info.version.clone()),
            ("state", info.state_dir.clone()),
            ("socket", self.socket.clone()),
            ("started", started),
            ("jobs", format!("{} live", info.live_jobs)),
        ];
        facts.extend(info.runners.iter().map(|runner| ("runner", one_runner(runner))));
        facts.extend(info.recovery.iter().map(|line| ("repaired", text::first_line(line))));
        facts
    }
}

impl Shown for Running {
    fn human(&self, look: &Look) -> String {
        let mut table = Table::new(&["", ""]);
        for (name, value) in self.facts(time::local(self.info.started_at, look)) {
            table.row(vec![Cell::new(name, style::faint), Cell::plain(value)]);
        }
        table.human(look.width, 0)
    }

    fn plain(&self, _: &Look) -> String {
        let mut table = Table::new(&[]);
        for (name, value) in self.facts(time::rfc3339(self.info.started_at)) {
            table.row(vec![Cell::plain(name), Cell::plain(value)]);
        }
        table.plain()
    }

    fn json(&self) -> Value {
        let mut value = json::of(&self.info);
        if let Some(fields) = value.as_object_mut() {
            fields.insert("socket".to_owned(), Value::String(self.socket.clone()));
        }
        value
    }
}

fn one_runner(runner: &RunnerRow) -> String {
    let state = if runner.connected { "connected" } else { "not connected" };
    format!("{}, {state}, {} of {} attempts", runner.name, runner.live, runner.capacity)
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::render::sample::{at, bare, coloured, look};

    #[test]
    fn a_scheduler_says_where_it_is() {
        let info = DaemonInfo {
            version: "0.1.0".to_owned(),
            pid: 4711,
            instance: "k3".to_owned(),
            state_dir: "/home/ada/.local/state/autoexec".to_owned(),
            started_at: at(0),
            live_jobs: 1,
            runners: vec![RunnerRow {
                name: "local".to_owned(),
                connected: true,
                live: 5,
                capacity: 1000,
                version: "0.1.0".to_owned(),
            }],
            recovery: vec!["the last record of the journal was torn and is gone".to_owned()],
        };
        let running = Running { info, socket: "/home/ada/.local/state/autoexec/daemon.sock".to_owned() };
        expect![[r#"
            pid       4711
            version   0.1.0
            state     /home/ada/.local/state/autoexec
            socket    /home/ada/.local/state/autoexec/daemon.sock
            started   12:00:00
            jobs      1 live
            runner    local, connected, 5 of 1000 attempts
            repaired  the last record of the journal was torn and is gone
        "#]]
        .assert_eq(&bare(&running.human(&look(80))));
        expect![[r#"
            ^[2mpid^[0m       4711
            ^[2mversion^[0m   0.1.0
            ^[2mstate^[0m     /home/ada/.local/state/autoexec
            ^[2msocket^[0m    /home/ada/.local/state/autoexec/daemon.sock
            ^[2mstarted^[0m   12:00:00
            ^[2mjobs^[0m      1 live
            ^[2mrunner^[0m    local, connected, 5 of 1000 attempts
            ^[2mrepaired^[0m  the last record of the journal was torn and is gone
        "#]]
        .assert_eq(&coloured(&running.human(&look(80))));
        expect![[r#"
            pid	4711
            version	0.1.0
            state	/home/ada/.local/state/autoexec
            socket	/home/ada/.local/state/autoexec/daemon.sock
            started	2026-03-14T12:00:00.000Z
            jobs	1 live
            runner	local, connected, 5 of 1000 attempts
            repaired	the last record of the journal was torn and is gone
        "#]]
        .assert_eq(&running.plain(&look(80)));
        expect![[r#"{"version":"0.1.0","pid":4711,"instance":"k3","state_dir":"/home/ada/.local/state/autoexec","started_at":"2026-03-14T12:00:00.000Z","live_jobs":1,"runners":[{"name":"local","connected":true,"live":5,"capacity":1000,"version":"0.1.0"}],"recovery":["the last record of the journal was torn and is gone"],"socket":"/home/ada/.local/state/autoexec/daemon.sock"}"#]].assert_eq(&running.json().to_string());
    }
}
