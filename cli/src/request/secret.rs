//! Secrets: from the terminal without echo, from a variable, or from a file. Never from an argument, and never printed.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Read, Write};

use nix::sys::termios::{LocalFlags, SetArg, Termios, tcgetattr, tcsetattr};

use super::source;
use crate::args::{SecretArg, SecretSource};
use crate::error::Failure;

/// Bytes of one secret that is typed: far above any key, and an end for a stuck key.
const MAX_TYPED: u64 = 64 * 1024;

/// The values of the secrets that were named.
pub(crate) fn secrets(named: &[SecretArg]) -> Result<Vec<(String, String)>, Failure> {
    named.iter().map(|secret| Ok((secret.name.clone(), value(secret)?))).collect()
}

fn value(secret: &SecretArg) -> Result<String, Failure> {
    let refused = |why: String| Failure::Secret { name: secret.name.clone(), why };
    match &secret.source {
        SecretSource::Prompt => {
            typed(&secret.name).map_err(|error| refused(format!("the terminal cannot be asked: {error}")))
        }
        SecretSource::Variable(variable) => {
            std::env::var(variable).map_err(|_| refused(format!("the variable {variable} is not set, or is no UTF-8")))
        }
        SecretSource::File(path) => {
            let text = String::from_utf8(source::file(path)?)
                .map_err(|_| refused(format!("{} is no UTF-8", path.display())))?;
            Ok(without_line_end(text))
        }
        SecretSource::Misspelt => Err(Failure::usage(
            "--secret takes a name and where the value comes from, never the value",
            "write --secret NAME, --secret NAME=env:VARIABLE or --secret NAME=file:PATH",
        )),
    }
}

/// Editors put one at the end of every file; it is no part of a secret.
fn without_line_end(mut text: String) -> String {
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    text
}

/// Asks on the terminal itself, so that it works with redirected streams.
fn typed(name: &str) -> std::io::Result<String> {
    let mut terminal = OpenOptions::new().read(true).write(true).open("/dev/tty")?;
    write!(terminal, "{name}: ")?;
    let mut text = String::new();
    {
        let _silence = Silence::on(&terminal)?;
        BufReader::new(terminal.try_clone()?.take(MAX_TYPED)).read_line(&mut text)?;
    }
    writeln!(terminal)?;
    Ok(without_line_end(text))
}

/// Echo is off as long as this lives.
struct Silence {
    terminal: File,
    before: Termios,
}

impl Silence {
    fn on(terminal: &File) -> std::io::Result<Self> {
        let before = tcgetattr(terminal)?;
        let mut silent = before.clone();
        silent.local_flags.remove(LocalFlags::ECHO);
        tcsetattr(terminal, SetArg::TCSAFLUSH, &silent)?;
        Ok(Self { terminal: terminal.try_clone()?, before })
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        // Nothing can be done about a terminal that is gone.
        let _ = tcsetattr(&self.terminal, SetArg::TCSAFLUSH, &self.before);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(source: SecretSource) -> SecretArg {
        SecretArg { name: "db".to_owned(), source }
    }

    #[test]
    fn a_file_loses_one_line_end() {
        let temp = tempfile::tempdir().expect("a folder");
        let path = temp.path().join("db");
        std::fs::write(&path, "pass word\n\r\n").expect("written");
        let found = secrets(&[named(SecretSource::File(path))]).expect("read");
        assert_eq!(found, [("db".to_owned(), "pass word\n".to_owned())]);
    }

    #[test]
    fn what_cannot_be_had_names_the_way_and_not_the_value() {
        let failure =
            secrets(&[named(SecretSource::Variable("AUTOEXEC_TEST_NO_SUCH".to_owned()))]).expect_err("not set");
        assert_eq!(
            failure.to_string(),
            "cannot get the secret `db`: the variable AUTOEXEC_TEST_NO_SUCH is not set, or is no UTF-8"
        );
        assert!(secrets(&[named(SecretSource::Misspelt)]).expect_err("refused").hints()[0].contains("env:VARIABLE"));
    }
}
