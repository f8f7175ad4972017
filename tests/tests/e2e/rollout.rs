//! The main job: three phases in batches `1 5% 25% *2` on 100 SSH targets, of which one fails, one refuses and one never ends.

use serde_json::{Value, json};

use crate::harness::{Fleet, Sandbox, Sshd, closed_port, word};

/// In batches of 1, 5, 25, 50 and 19: `web003` is in the second, `web010` in the third, `web040` in the fourth.
const FAILS: &str = "web003";
const REFUSES: &str = "web010";
const HANGS: &str = "web040";

struct Main {
    sandbox: Sandbox,
    hosts: String,
    job: String,
    _sshd: Sshd,
}

/// Writes the job with this budget. Each step leaves a line in its target's file of `seen`.
fn main_job(budget: &str) -> Option<Main> {
    let sshd = Sshd::start()?;
    let sandbox = Sandbox::new();
    let fleet = Fleet::ssh(&sandbox, &sshd).web(100).host(REFUSES, &format!("port: {}", closed_port()));
    let hosts = fleet.write(&sandbox, "hosts.yaml");
    let seen = sandbox.folder("seen");
    let env = format!("env: {{ NAME: \"{{{{ target.name }}}}\", SEEN: \"{seen}\" }}");
    let job = format!(
        r#"
name: main-job
targets: "@web"
groups:
  - name: rollout
    strategy: rolling
    batches: "1 5% 25% *2"
    budget: {budget}
    phases:
      - name: prepare
        steps:
          - run: echo prepare >> "$SEEN/$NAME"
            {env}
      - name: upgrade
        steps:
          - id: install
            timeout: 1s
            run: |
              echo upgrade >> "$SEEN/$NAME"
              case $NAME in
                {FAILS}) echo broken >&2; exit 3 ;;
                {HANGS}) exec sleep 600 ;;
              esac
            {env}
      - name: check
        steps:
          - run: echo check >> "$SEEN/$NAME"
            {env}
"#
    );
    let job = sandbox.write("job.yaml", job).display().to_string();
    Some(Main { sandbox, hosts, job, _sshd: sshd })
}

impl Main {
    fn run(&self, code: i32) -> Value {
        self.sandbox.json_with(code, &["run", &self.job, "-i", &self.hosts])
    }

    /// The states of the batches.
    fn states(view: &Value) -> Vec<&str> {
        view["batches"].as_array().expect("batches").iter().map(|batch| word(batch, "state")).collect()
    }

    /// Every target's witnesses agree with its row: nothing ran twice, nothing ran in a batch that was not started.
    fn check_witnesses(&self, started: usize) {
        let lines = self.sandbox.lines_in("seen");
        let all = ["prepare", "upgrade", "check"];
        for number in 1..=100 {
            let name = format!("web{number:03}");
            let expected: &[&str] = match name.as_str() {
                REFUSES => &[],
                _ if number > started => &[],
                FAILS | HANGS => &all[..2],
                _ => &all,
            };
            let found = lines.get(&name).map_or(&[][..], Vec::as_slice);
            assert_eq!(found, expected, "{name}");
        }
    }
}

#[test]
fn every_class_of_failure_has_its_own_budget_and_a_budget_that_holds_stops_nothing() {
    let Some(main) = main_job("{ failed: 1%, unreachable: 1, timed_out: 1 }") else { return };
    let plan = main.sandbox.json(&["plan", &main.job, "-i", &main.hosts]);
    let group = &plan["plan"]["groups"][0];
    assert_eq!(group["batches"], json!([1, 5, 25, 50, 19]));
    let limit = |class: &str| {
        let limits = group["budget"]["limits"].as_array().expect("limits");
        limits.iter().find(|limit| limit["class"] == class).expect("the class")["limit"][0].clone()
    };
    assert_eq!([limit("failed"), limit("unreachable"), limit("timed_out")], [1, 1, 1].map(Value::from));

    let view = main.run(1);
    assert_eq!(word(&view, "state"), "failed", "{view:#}");
    assert_eq!(view["plan_digest"], plan["digest"]);
    let sizes: Vec<&Value> = view["batches"].as_array().expect("batches").iter().map(|batch| &batch["size"]).collect();
    assert_eq!(sizes, [1, 5, 25, 50, 19].map(Value::from).iter().collect::<Vec<_>>());
    assert_eq!(view["counts"]["succeeded"], 97);
    assert_eq!(view["counts"]["failed"], 3);
    assert_eq!(
        view["outcomes"],
        json!({"succeeded": 97, "failed": 1, "unreachable": 1, "timed_out": 1, "interrupted": 0, "stopped": 0})
    );
    assert_eq!(view["exceeded"], json!([]));
    assert_eq!(Main::states(&view).last(), Some(&"succeeded"), "{view:#}");

    let shown = main.sandbox.show("last");
    let row = |name: &str| {
        shown["targets"].as_array().expect("targets").iter().find(|row| row["name"] == name).expect("a row").clone()
    };
    let told = |name: &str| {
        [
            row(name)["verdict"].clone(),
            row(name)["outcome"].clone(),
            row(name)["exit_code"].clone(),
            row(name)["batch"].clone(),
        ]
    };
    assert_eq!(told(FAILS), [json!("failed"), json!("exited"), json!(3), json!(2)]);
    assert_eq!(told(REFUSES), [json!("failed"), json!("unreachable"), Value::Null, json!(3)]);
    assert_eq!(told(HANGS), [json!("failed"), json!("timed_out"), Value::Null, json!(4)]);
    assert_eq!(told("web100"), [json!("succeeded"), json!("exited"), json!(0), json!(5)]);
    assert!(word(&row(REFUSES), "message").contains("refused"), "{}", row(REFUSES));
    main.check_witnesses(100);
}

#[test]
fn the_next_batch_is_not_started_when_a_budget_is_exceeded() {
    // The batch in which it must stop, and the number of targets that were started by then.
    for (budget, class, stops_in, started) in [
        ("{ failed: 0, unreachable: 1, timed_out: 1 }", "failed", 2, 6),
        ("{ failed: 1%, unreachable: 0, timed_out: 1 }", "unreachable", 3, 31),
        ("{ failed: 1%, unreachable: 1, timed_out: 0 }", "timed_out", 4, 81),
    ] {
        let Some(main) = main_job(budget) else { return };
        let view = main.run(1);
        assert_eq!(word(&view, "state"), "aborted", "{budget}: {view:#}");
        let states = Main::states(&view);
        assert_eq!(
            states.iter().filter(|state| **state == "aborted").count(),
            5 - stops_in + usize::from(states[stops_in - 1] == "aborted"),
            "{budget}: {states:?}"
        );
        assert_eq!(view["outcomes"][class], 1, "{budget}: {view:#}");
        assert_eq!(view["exceeded"].as_array().map(Vec::len), Some(1), "{budget}: {view:#}");
        assert!(
            view["exceeded"][0].as_str().expect("a text").contains(&class.replace('_', " ")),
            "{budget}: {}",
            view["exceeded"]
        );
        // What had begun in the batch when the budget was exceeded may go on or be stopped; what had not begun at all stays so.
        let counts = |field: &str| view["counts"][field].as_u64().expect("a count");
        let open: u64 = view["open"].as_object().expect("open").values().filter_map(Value::as_u64).sum();
        assert_eq!(open, 0, "{budget}: {view:#}");
        assert!(counts("aborted") >= 100 - started, "{budget}: {view:#}");
        let lines = main.sandbox.lines_in("seen");
        for number in started + 1..=100 {
            let name = format!("web{number:03}");
            assert_eq!(lines.get(&name), None, "{budget}: {name} is in a batch that must not begin");
        }
        assert!(lines.values().all(|lines| lines.len() <= 3), "{budget}: something ran twice: {lines:?}");
    }
}
