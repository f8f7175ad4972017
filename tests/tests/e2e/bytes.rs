//! Parameters reach a tool byte for byte, on every place: as environment, as JSON and as files. No shell ever evaluates them.

use std::fs;

use serde_json::{Value, json};

use crate::harness::{Fleet, Sandbox, Sshd, text};

/// Everything that a shell, a template or a quoting rule could trip over, then 4 KiB of pseudo-random characters.
fn hostile_text() -> String {
    let mut text = String::from(
        "$(id);'\"`id`\\ \\\\ $HOME ${PATH} %s %n !! ~ * ? [a] {a,b} | & ; < > # \n\n\r\n\t{{ 1 + 1 }} {% if %} \u{1}\u{7f} \u{e4}\u{f6}\u{4e2d}\u{6587}\u{1f600}\n",
    );
    let mut random = Random(0x5eed);
    while text.len() < 4 * 1024 + 200 {
        let code = random.next() % 0x3000;
        text.extend(char::from_u32(code).filter(|c| *c != '\0'));
    }
    // Ends in line ends, which `$(...)` would eat.
    text + "\n\n"
}

/// Every byte, then 4 KiB of pseudo-random ones.
fn hostile_bytes() -> Vec<u8> {
    let mut random = Random(0xb17e5);
    let noise = (0..4 * 1024).map(|_| random.next().to_le_bytes()[1]);
    (0..=255).chain(noise).collect()
}

/// A small generator: the same bytes on every machine.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as u32
    }
}

const TOOL: &str = r#"
name: witness
version: "1"
summary: Writes down what it was given.
risk: low
places: [runner, runner-target, target]
entry: { script: witness.sh }
params:
  text: { type: string, required: true, help: Any text. }
  data: { type: file, required: true, help: Any file. }
  out: { type: string, required: true, help: Where to write. }
"#;

const SCRIPT: &str = r#"set -eu
# Writes down what it was given, without any evaluation.
printf '%s' "$text" > "$out.env"
cat "$data" > "$out.file"
cat "$AUTOEXEC_PARAMS" > "$out.json"
"#;

fn job(seen: &str) -> String {
    let phase = |name: &str, place: &str, target: &str| {
        format!(
            r#"
  - name: {name}
    on: {place}
    steps:
      - tool: witness
        with: {{ text: "{{{{ params.text }}}}", data: "{{{{ params.data }}}}", out: "{seen}/tool-{name}{target}" }}
      - run: printf '%s' "$TEXT" > "$OUT.env"; cat "$AUTOEXEC_PARAMS" > "$OUT.json"; cat > "$OUT.stdin"; printf '%s' "$1" > "$OUT.arg"
        args: ["{{{{ params.text }}}}"]
        stdin: "{{{{ params.text }}}}"
        env: {{ TEXT: "{{{{ params.text }}}}", OUT: "{seen}/script-{name}{target}" }}
"#
        )
    };
    let mut text = String::from(
        "name: bytes\ntargets: \"@web\"\nparams:\n  text: { type: string, required: true }\n  data: { type: file, required: true }\nphases:",
    );
    text += &phase("once", "runner", "");
    text += &phase("each", "runner-target", "-{{ target.name }}");
    text += &phase("there", "target", "-{{ target.name }}");
    text
}

#[test]
fn a_parameter_arrives_byte_for_byte_on_every_place() {
    let Some(sshd) = Sshd::start() else { return };
    let sandbox = Sandbox::new();
    sandbox.write("tools/witness/tool.yaml", TOOL);
    let script = sandbox.write("tools/witness/witness.sh", SCRIPT);
    fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("mode");
    let (wanted, data) = (hostile_text(), hostile_bytes());
    sandbox.write("text.txt", &wanted);
    sandbox.write("data.bin", &data);
    let seen = sandbox.folder("seen");
    let job = sandbox.write("job.yaml", job(&seen));
    let hosts = Fleet::ssh(&sandbox, &sshd)
        .host("far", "address: 127.0.1.1")
        .host("near", "transport: local")
        .write(&sandbox, "hosts.yaml");
    let args = ["run", text(&job), "-i", &hosts, "--tools", "tools", "-p", "text=@text.txt", "-p", "data=@data.bin"];
    let view = sandbox.json(&args);
    assert_eq!(view["state"], "succeeded", "{view:#}");

    for place in ["once", "each-far", "each-near", "there-far", "there-near"] {
        let read = |name: &str| {
            fs::read(sandbox.path(&format!("seen/{name}"))).unwrap_or_else(|error| panic!("{name}: {error}"))
        };
        let json = |name: &str| serde_json::from_slice::<Value>(&read(name)).expect("JSON");
        assert!(read(&format!("tool-{place}.env")) == wanted.as_bytes(), "{place}: the environment of the tool");
        assert!(read(&format!("tool-{place}.file")) == data, "{place}: the file of the tool");
        assert_eq!(json(&format!("tool-{place}.json"))["text"], json!(wanted), "{place}: the JSON of the tool");
        assert!(read(&format!("script-{place}.env")) == wanted.as_bytes(), "{place}: the environment of the script");
        assert!(read(&format!("script-{place}.stdin")) == wanted.as_bytes(), "{place}: standard input of the script");
        assert!(read(&format!("script-{place}.arg")) == wanted.as_bytes(), "{place}: the argument of the script");
        assert_eq!(json(&format!("script-{place}.json"))["text"], json!(wanted), "{place}: the JSON of the script");
    }
}
