//! Messages that stand above the footer for a while. The answer to the user comes first; news waits
//! until it has been read.

use std::time::Duration;

use super::action::PaneId;
use super::host::Severity;
use crate::proto::time::Time;

/// How long a message stays at least: it is noticed and read in that time.
const TOAST_TIME: Duration = Duration::from_secs(5);
/// How long each letter of a long message takes to read, for somebody who reads slowly.
const LETTER_TIME: Duration = Duration::from_millis(60);

/// How long this text stays.
fn stays(text: &str) -> Duration {
    TOAST_TIME.max(LETTER_TIME * u32::try_from(text.chars().count()).unwrap_or(u32::MAX))
}

/// A message above the footer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Toast {
    pub(crate) severity: Severity,
    pub(crate) text: String,
    /// The pane that explains it.
    pub(crate) pane: Option<PaneId>,
    voice: Voice,
    until: Time,
}

/// Where a line comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Voice {
    /// The console answers the user.
    Answer,
    /// The network or the program reports something.
    News,
}

/// The message that is shown, and the one that waits behind it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Toasts {
    shown: Option<Toast>,
    waiting: Option<Toast>,
}

impl Toasts {
    /// The message that is shown now.
    pub(crate) fn shown(&self) -> Option<&Toast> {
        self.shown.as_ref()
    }

    /// Answers the user at once; news that stood there comes again afterwards.
    pub(crate) fn answer(&mut self, severity: Severity, text: String, now: Time) {
        let until = now + stays(&text);
        let answer = Toast { severity, text, pane: None, voice: Voice::Answer, until };
        if let Some(news) = self.shown.replace(answer).filter(|toast| toast.voice == Voice::News) {
            self.waiting.get_or_insert(news);
        }
    }

    /// Shows news: after the answer if one is being read, else at once. Of several that wait, the
    /// latest of the most serious ones is shown; the others are among the notices.
    pub(crate) fn tell(&mut self, severity: Severity, text: String, pane: Option<PaneId>, now: Time) {
        let until = now + stays(&text);
        let news = Toast { severity, text, pane, voice: Voice::News, until };
        match &self.shown {
            Some(Toast { voice: Voice::Answer, .. }) => {
                let graver = self.waiting.take_if(|waiting| waiting.severity > severity);
                self.waiting = graver.or(Some(news));
            }
            Some(Toast { voice: Voice::News, .. }) | None => self.shown = Some(news),
        }
    }

    /// The user does something else, so the last answer no longer matters.
    pub(crate) fn outdate(&mut self) {
        if self.shown.take_if(|toast| toast.voice == Voice::Answer).is_some() {
            self.shown = self.waiting.take();
        }
    }

    /// Another moment is shown, of which this is no news.
    pub(crate) fn forget_news(&mut self) {
        self.shown.take_if(|toast| toast.voice == Voice::News);
        self.waiting = None;
    }

    /// The user has seen it.
    pub(crate) fn dismiss(&mut self) {
        self.shown = None;
        self.waiting = None;
    }

    /// Time has passed. Returns whether another line stands there now.
    pub(crate) fn tick(&mut self, now: Time) -> bool {
        if self.shown.take_if(|toast| toast.until <= now).is_none() {
            return false;
        }
        self.shown = self.waiting.take().map(|news| Toast { until: now + stays(&news.text), ..news });
        true
    }

    /// When the line goes.
    pub(crate) fn until(&self) -> Option<Time> {
        self.shown.as_ref().map(|toast| toast.until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Time {
        Time::from_micros(seconds * 1_000_000)
    }

    fn text(toasts: &Toasts) -> &str {
        toasts.shown().map_or("", |toast| toast.text.as_str())
    }

    #[test]
    fn news_wait_for_the_answer_and_come_after_it_for_as_long() {
        let mut toasts = Toasts::default();
        toasts.answer(Severity::Error, "no node p9".to_owned(), at(10));
        toasts.tell(Severity::Warning, "p4 is alone".to_owned(), None, at(11));
        toasts.tell(Severity::Warning, "two parts".to_owned(), None, at(12));
        assert_eq!(text(&toasts), "no node p9");
        assert!(!toasts.tick(at(14)) && toasts.tick(at(15)));
        assert_eq!((text(&toasts), toasts.until()), ("two parts", Some(at(20))));
        assert!(toasts.tick(at(20)));
        assert_eq!(text(&toasts), "");
    }

    #[test]
    fn a_waiting_error_is_not_lost_to_a_later_warning() {
        let mut toasts = Toasts::default();
        toasts.answer(Severity::Info, "copied".to_owned(), at(10));
        toasts.tell(Severity::Error, "the session is not recorded".to_owned(), None, at(11));
        toasts.tell(Severity::Warning, "p4 is alone".to_owned(), None, at(12));
        assert!(toasts.tick(at(15)));
        assert_eq!(text(&toasts), "the session is not recorded");
    }

    #[test]
    fn an_answer_goes_when_something_else_is_done_and_news_stay() {
        let mut toasts = Toasts::default();
        toasts.answer(Severity::Error, "no node p9".to_owned(), at(10));
        toasts.tell(Severity::Warning, "p4 is alone".to_owned(), None, at(11));
        toasts.outdate();
        assert_eq!(text(&toasts), "p4 is alone");
        toasts.outdate();
        assert_eq!(text(&toasts), "p4 is alone");
    }

    #[test]
    fn an_answer_pushes_aside_news_and_the_answer_before() {
        let mut toasts = Toasts::default();
        toasts.tell(Severity::Warning, "p4 is alone".to_owned(), None, at(10));
        toasts.answer(Severity::Info, "copied".to_owned(), at(11));
        toasts.answer(Severity::Error, "no node p9".to_owned(), at(12));
        assert_eq!(text(&toasts), "no node p9");
        assert!(toasts.tick(at(17)));
        assert_eq!(text(&toasts), "p4 is alone");
        toasts.dismiss();
        assert_eq!((text(&toasts), toasts.until()), ("", None));
    }
}
