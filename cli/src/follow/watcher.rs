//! The loop that follows a job: news, keys, signals and the clock come in, the screen or lines go out.

use std::time::Duration;

use autoexec_model::api::{Operation, WatchUpdate};
use autoexec_model::view::JobView;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::ask::Asking;
use super::question::{Answer, Question};
use super::screen::Screen;
use super::signals::{Caught, Signals};
use super::updates::{News, Updates};
use crate::daemon::Link;
use crate::error::Failure;
use crate::exit;
use crate::render::{failure, line, style};
use crate::request;
use crate::ui::Ui;

/// The screen is redrawn ten times a second at most: faster is a flicker, and slow on a remote terminal.
const TICK: Duration = Duration::from_millis(100);

/// Elapsed times are redrawn when nothing else changes.
const REDRAW: Duration = Duration::from_secs(1);

/// How a job is followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// On a terminal: redrawn lines, and questions.
    Live,
    /// One line for each thing that happens, on standard output.
    Lines,
    /// Nothing until the end.
    Quiet,
}

/// Why it is not followed any longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    /// It ended.
    Ended,
    /// It waits for a person, and nobody is there to ask, or it was left waiting.
    Waits,
    /// The user left.
    Detached,
}

/// A job that was followed.
#[derive(Debug)]
pub(crate) struct Followed {
    /// Why it is not followed any longer.
    pub(crate) how: How,
    /// As it stood last.
    pub(crate) view: Option<JobView>,
}

/// Follows a job.
pub(crate) async fn follow(ui: &Ui, link: &Link, job: u64, manner: Manner) -> Result<Followed, Failure> {
    let mut signals = Signals::catch()?;
    let mut updates = Updates::begin(link.clone(), job, ui.program());
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut watcher = Watcher::new(ui, link, job, manner);
    loop {
        let happened = tokio::select! {
            news = updates.next() => Happened::News(news),
            answer = answered(&mut watcher.asking) => Happened::Answer(answer),
            caught = signals.next() => Happened::Signal(caught),
            _ = ticks.tick() => Happened::Tick,
        };
        let how = match happened {
            Happened::News(news) => watcher.news(news)?,
            Happened::Answer(answer) => watcher.answer(answer).await,
            Happened::Signal(caught) => watcher.signal(caught)?,
            Happened::Tick => {
                watcher.draw();
                None
            }
        };
        if let Some(how) = how {
            return Ok(Followed { how, view: watcher.close() });
        }
    }
}

enum Happened {
    News(News),
    Answer(Answer),
    Signal(Caught),
    Tick,
}

async fn answered(asking: &mut Option<Asking>) -> Answer {
    match asking {
        Some(asking) => asking.answer().await,
        None => std::future::pending().await,
    }
}

struct Watcher<'a> {
    ui: &'a Ui,
    link: &'a Link,
    job: u64,
    manner: Manner,
    screen: Screen,
    view: Option<JobView>,
    asking: Option<Asking>,
    /// The standstill that was asked about; it is not asked about again until the job moves.
    asked: Option<(Question, String)>,
    changed: bool,
    drawn_at: Option<Instant>,
}

impl<'a> Watcher<'a> {
    fn new(ui: &'a Ui, link: &'a Link, job: u64, manner: Manner) -> Self {
        let screen = Screen::default();
        Self { ui, link, job, manner, screen, view: None, asking: None, asked: None, changed: false, drawn_at: None }
    }

    fn news(&mut self, news: News) -> Result<Option<How>, Failure> {
        match news {
            News::Update(update) => self.update(*update),
            News::Lost => {
                self.say(&style::warn("the connection to the scheduler is lost; joining it again"));
                Ok(None)
            }
            News::Back => {
                self.say("the scheduler is there again");
                Ok(None)
            }
            News::Over(Ok(())) => Ok(Some(How::Ended)),
            News::Over(Err(failure)) => {
                self.close();
                Err(failure)
            }
        }
    }

    fn update(&mut self, update: WatchUpdate) -> Result<Option<How>, Failure> {
        let WatchUpdate { job: view, lines } = update;
        if self.manner == Manner::Lines {
            let look = self.ui.look();
            for happened in &lines {
                self.ui.data(&line::happened(happened, &look))?;
            }
        }
        let is_final = exit::state(&view).is_some_and(autoexec_model::state::JobState::is_final);
        let standstill = Question::of(&view);
        let reason = view.reason.clone();
        self.view = Some(view);
        self.changed = true;
        if is_final {
            return Ok(Some(How::Ended));
        }
        let Some(question) = standstill else {
            self.asked = None;
            self.withdraw();
            return Ok(None);
        };
        if self.manner != Manner::Live {
            return Ok(Some(How::Waits));
        }
        if self.asked.as_ref() != Some(&(question, reason.clone())) {
            self.asked = Some((question, reason.clone()));
            self.ask(question, &reason)?;
        }
        Ok(None)
    }

    /// A question about a standstill that is over is taken back: somebody else answered it.
    fn withdraw(&mut self) {
        if self.asking.as_ref().is_some_and(|asking| asking.question() != Question::Leave) {
            self.asking = None;
            self.ui.talk("answered elsewhere");
        }
    }

    fn ask(&mut self, question: Question, reason: &str) -> Result<(), Failure> {
        if self.asking.take().is_some() {
            self.ui.talk("");
        }
        self.redraw();
        // The moving lines stay above the question, and new ones are drawn below its answer.
        self.screen.settle();
        if !reason.is_empty() {
            self.ui.talk(&style::warn(reason));
        }
        self.ui.ask(question.text());
        self.asking = Some(Asking::begin(question)?);
        Ok(())
    }

    async fn answer(&mut self, answer: Answer) -> Option<How> {
        let question = self.asking.take().map(|asking| asking.question());
        match answer {
            Answer::Watch => {
                self.ui.talk("");
                None
            }
            Answer::Detach => {
                self.ui.talk("detach");
                Some(if question == Some(Question::Leave) { How::Detached } else { How::Waits })
            }
            Answer::Do(operation) => {
                self.ui.talk(word(&operation));
                if let Err(refusal) = self.link.client.operate(self.job, operation, request::by()).await {
                    self.ui.talk(failure::told(&refusal.into()).trim_end());
                }
                None
            }
        }
    }

    fn signal(&mut self, caught: Caught) -> Result<Option<How>, Failure> {
        let can_ask = self.manner == Manner::Live && self.asking.is_none();
        match caught {
            Caught::Interrupt if can_ask => {
                self.ask(Question::Leave, "")?;
                Ok(None)
            }
            Caught::Interrupt | Caught::Terminate => Ok(Some(How::Detached)),
        }
    }

    fn draw(&mut self) {
        let is_due = self.changed || self.drawn_at.is_none_or(|at| at.elapsed() >= REDRAW);
        if self.manner == Manner::Live && self.asking.is_none() && is_due {
            self.redraw();
        }
    }

    fn redraw(&mut self) {
        if let Some(view) = self.view.as_ref().filter(|_| self.manner == Manner::Live) {
            self.screen.draw(self.ui, view);
            self.changed = false;
            self.drawn_at = Some(Instant::now());
        }
    }

    fn say(&mut self, text: &str) {
        if self.asking.is_none() {
            self.screen.say(self.ui, text);
            self.changed = true;
        }
    }

    /// Leaves the terminal as it should be: settled lines stay, moving ones go.
    fn close(&mut self) -> Option<JobView> {
        if self.asking.take().is_some() {
            self.ui.talk("");
        } else if self.manner == Manner::Live {
            self.redraw();
            self.screen.clear(self.ui);
        }
        self.view.take()
    }
}

/// What is said when a key was pressed.
fn word(operation: &Operation) -> &'static str {
    match operation {
        Operation::Pause => "pause",
        Operation::Resume => "resume",
        Operation::Cancel { .. } => "cancel",
        Operation::Confirm => "confirm",
        Operation::Reject => "reject",
        Operation::Retry { .. } => "retry",
        Operation::Skip { .. } => "skip",
        Operation::Ignore { .. } => "ignore",
        Operation::Resolve { .. } => "resolve",
        Operation::Parallel { .. } => "amend",
    }
}
