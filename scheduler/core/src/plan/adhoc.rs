//! A command line as a job: `autoexec run -t '@web' -- uptime`.

use autoexec_model::diagnostic::Located;
use autoexec_model::spec::{JobSpec, StepSpec};

/// Characters of the command that the description repeats.
const MAX_SHOWN: usize = 200;

/// The job that runs one command on its targets: one phase `main` with one step `command`. One word is a script as it is; of
/// several, each is quoted, so that the command gets exactly these arguments.
pub fn command_job(words: &[String]) -> JobSpec {
    let script = match words {
        [script] => script.clone(),
        words => words.iter().map(|word| quote(word)).collect::<Vec<_>>().join(" "),
    };
    let mut shown: String = script.chars().take(MAX_SHOWN).collect();
    if shown.len() < script.len() {
        shown.push('…');
    }
    let step = StepSpec { id: Some("command".into()), run: Some(Located::nowhere(script)), ..StepSpec::default() };
    JobSpec {
        name: "command".into(),
        description: Some(shown),
        steps: Some(vec![Located::nowhere(step)]),
        ..JobSpec::default()
    }
}

/// One word for a POSIX shell.
fn quote(word: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"_@%+=:,./-".contains(&b);
    if !word.is_empty() && word.bytes().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(words: &[&str]) -> String {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        let job = command_job(&words);
        job.steps
            .and_then(|steps| steps.first().and_then(|step| step.value.run.clone()))
            .map(|run| run.value)
            .unwrap_or_default()
    }

    #[test]
    fn one_word_is_a_script_and_several_are_arguments() {
        assert_eq!(script(&["df -h | tail -1"]), "df -h | tail -1");
        assert_eq!(script(&["echo", "a b", "$(id)", "it's", ""]), r"echo 'a b' '$(id)' 'it'\''s' ''");
    }
}
