//! The only place that prints: standard output is data, standard error is talk.
//!
//! Texts arrive with colours in them; here is decided whether they stay. A reader that leaves (`| head`) is a normal end.
//! Talk that cannot be written is dropped: there is nobody left to tell.

use std::io::{self, IsTerminal, Write};

use anstream::adapter::strip_str;
use anstream::{AutoStream, ColorChoice};
use autoexec_model::id::UnixMillis;
use jiff::tz::TimeZone;
use serde_json::Value;

use crate::args::{ColorWhen, Format, Global};
use crate::clock;
use crate::error::Failure;
use crate::render::{Look, style};

/// Columns when the terminal does not say.
const USUAL_COLUMNS: usize = 80;

/// Narrower than this nothing can be laid out.
const FEWEST_COLUMNS: usize = 40;

/// Something that can be printed in each of the three formats.
pub(crate) trait Shown {
    /// For people, with colours and at the width of the look; whole lines.
    fn human(&self, look: &Look) -> String;

    /// For scripts: one thing per line, never clipped; whole lines.
    fn plain(&self, look: &Look) -> String;

    /// For programs.
    fn json(&self) -> Value;
}

/// The streams, and how they are written to.
#[derive(Debug, Clone)]
pub(crate) struct Ui {
    format: Option<Format>,
    program: String,
    zone: TimeZone,
    out_terminal: bool,
    err_terminal: bool,
    out_colour: bool,
    err_colour: bool,
}

impl Ui {
    /// Looks at the streams of this process.
    pub(crate) fn new(global: &Global) -> Self {
        let choice = match global.color {
            ColorWhen::Auto => ColorChoice::Auto,
            ColorWhen::Always => ColorChoice::Always,
            ColorWhen::Never => ColorChoice::Never,
        };
        let coloured = |stream: ColorChoice| match choice {
            ColorChoice::Auto => stream != ColorChoice::Never,
            ColorChoice::Always | ColorChoice::AlwaysAnsi => true,
            ColorChoice::Never => false,
        };
        Self {
            format: global.format,
            program: program(global),
            zone: TimeZone::system(),
            out_terminal: io::stdout().is_terminal(),
            err_terminal: io::stderr().is_terminal(),
            out_colour: coloured(AutoStream::choice(&io::stdout())),
            err_colour: coloured(AutoStream::choice(&io::stderr())),
        }
    }

    /// The format that was asked for; people are the default.
    pub(crate) fn format(&self) -> Format {
        self.format.unwrap_or(Format::Human)
    }

    /// The format of a verb that follows something: plain lines unless someone is looking.
    pub(crate) fn following_format(&self) -> Format {
        self.format.unwrap_or_else(|| if self.is_live() { Format::Human } else { Format::Plain })
    }

    /// Whether a person sees both streams, so that lines can be redrawn and questions asked.
    pub(crate) fn is_live(&self) -> bool {
        self.out_terminal && self.err_terminal && io::stdin().is_terminal()
    }

    /// How the program is called so that it reaches the same scheduler.
    pub(crate) fn program(&self) -> &str {
        &self.program
    }

    /// Suggests commands with the program as it was called now, for those who have not installed it.
    pub(crate) fn called_as_now(&mut self) {
        let called = std::env::args().next().filter(|name| name.contains('/'));
        let installed = std::env::var_os("PATH")
            .is_some_and(|path| std::env::split_paths(&path).any(|dir| dir.join("autoexec").is_file()));
        if let (Some(called), false) = (called, installed) {
            self.program = self.program.replacen("autoexec", &called, 1);
        }
    }

    /// How things are shown now: not clipped when nobody looks.
    pub(crate) fn look(&self) -> Look {
        let width = if self.out_terminal { columns() } else { usize::MAX };
        self.look_at(width, clock::now())
    }

    /// How live lines are shown now, and how many rows there are.
    pub(crate) fn live_look(&self) -> (Look, usize) {
        let rows = crossterm::terminal::size().map_or(24, |(_, rows)| usize::from(rows));
        // One column stays free: a full line would wrap on some terminals, and then be redrawn one line too high.
        (self.look_at(columns().saturating_sub(1), clock::now()), rows)
    }

    fn look_at(&self, width: usize, now: UnixMillis) -> Look {
        Look { width, now, zone: self.zone.clone(), program: self.program.clone() }
    }

    /// Prints a result in the format that was asked for.
    pub(crate) fn show(&self, shown: &impl Shown) -> Result<(), Failure> {
        self.show_as(self.format(), shown)
    }

    /// Prints a result in this format.
    pub(crate) fn show_as(&self, format: Format, shown: &impl Shown) -> Result<(), Failure> {
        match format {
            Format::Human => self.data(&shown.human(&self.look())),
            Format::Plain => self.data(&strip_str(&shown.plain(&self.look())).to_string()),
            Format::Json => self.data(&format!("{}\n", shown.json())),
        }
    }

    /// Prints text on standard output.
    pub(crate) fn data(&self, text: &str) -> Result<(), Failure> {
        let text = if self.out_colour { text.to_owned() } else { strip_str(text).to_string() };
        self.bytes(text.as_bytes())
    }

    /// Prints bytes on standard output, as they are.
    pub(crate) fn bytes(&self, bytes: &[u8]) -> Result<(), Failure> {
        let mut out = io::stdout().lock();
        written(out.write_all(bytes).and_then(|()| out.flush()))
    }

    /// Prints bytes on standard error, as they are: output of targets, not talk.
    pub(crate) fn error_bytes(&self, bytes: &[u8]) -> Result<(), Failure> {
        let mut err = io::stderr().lock();
        written(err.write_all(bytes).and_then(|()| err.flush()))
    }

    /// Says a line on standard error.
    pub(crate) fn talk(&self, line: &str) {
        self.said(&format!("{line}\n"));
    }

    /// Says something to be careful about.
    pub(crate) fn warn(&self, text: &str) {
        self.talk(&format!("{} {text}", style::warn("warning:")));
    }

    /// Asks something; the answer is typed on the same line.
    pub(crate) fn ask(&self, question: &str) {
        self.said(question);
    }

    /// Draws on the terminal: bytes that move the cursor, and lines.
    pub(crate) fn draw(&self, controls: &[u8], lines: &str) {
        let lines = if self.err_colour { lines.to_owned() } else { strip_str(lines).to_string() };
        let mut bytes = controls.to_vec();
        bytes.extend_from_slice(lines.as_bytes());
        let mut err = io::stderr().lock();
        let _ = err.write_all(&bytes).and_then(|()| err.flush());
    }

    fn said(&self, text: &str) {
        self.draw(&[], text);
    }
}

fn columns() -> usize {
    crossterm::terminal::size().map_or(USUAL_COLUMNS, |(columns, _)| usize::from(columns)).max(FEWEST_COLUMNS)
}

/// `autoexec`, with the flags that lead to the same scheduler.
fn program(global: &Global) -> String {
    // What comes from the environment will be there the next time; then nothing needs to be typed.
    let same =
        |name: &str, path: &std::path::Path| std::env::var_os(name).is_some_and(|value| value == path.as_os_str());
    let mut words = vec!["autoexec".to_owned()];
    if let Some(path) = global.socket.as_deref().filter(|path| !same("AUTOEXEC_SOCKET", path)) {
        words.push(format!("--socket {}", path.display()));
    } else if let Some(path) = global.state_dir.as_deref().filter(|path| !same("AUTOEXEC_STATE_DIR", path)) {
        words.push(format!("--state-dir {}", path.display()));
    }
    if global.demo {
        words.push("--demo".to_owned());
    }
    words.join(" ")
}

fn written(result: io::Result<()>) -> Result<(), Failure> {
    result.map_err(|source| {
        if source.kind() == io::ErrorKind::BrokenPipe { Failure::ReaderLeft } else { Failure::Write { source } }
    })
}
