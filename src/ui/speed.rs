//! How fast a recording is played.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::proto::time::micros;

/// How fast a recording is played, in thousandths of the session's own pace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Speed(u32);

impl Speed {
    pub const NORMAL: Self = Self(1_000);
    const MIN: Self = Self(100);
    const MAX: Self = Self(1_000_000);

    /// Time of the session that passes in this time before the screen.
    pub(crate) fn of_session(self, span: Duration) -> Duration {
        Duration::from_micros(micros(span).saturating_mul(u64::from(self.0)) / 1_000)
    }

    /// Time before the screen in which this time of the session passes.
    pub(crate) fn of_screen(self, span: Duration) -> Duration {
        Duration::from_micros(micros(span).saturating_mul(1_000).div_ceil(u64::from(self.0)))
    }
}

/// The text is no speed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no speed: expected 0.1x to 1000x, such as 4x")]
pub struct NoSpeed(String);

impl FromStr for Speed {
    type Err = NoSpeed;

    fn from_str(text: &str) -> Result<Self, NoSpeed> {
        let number = text.trim();
        let number = number.strip_suffix(['x', 'X']).unwrap_or(number);
        let times: Option<f64> = number.parse().ok().filter(|times: &f64| times.is_finite() && *times >= 0.0);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked, and a cast saturates")]
        let speed = times.map(|times| Self((times * 1_000.0).round() as u32));
        let in_bounds = |speed: &Self| (Self::MIN.0..=Self::MAX.0).contains(&speed.0);
        speed.filter(in_bounds).ok_or_else(|| NoSpeed(text.to_owned()))
    }
}

impl fmt::Display for Speed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x", f64::from(self.0) / 1_000.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_speed_is_a_number_of_times_within_bounds() {
        for (text, shown) in [("4x", "4x"), ("0.1", "0.1x"), ("1000x", "1000x"), (" 2.5X", "2.5x")] {
            assert_eq!(text.parse::<Speed>().unwrap().to_string(), shown);
        }
        for text in ["", "x", "0", "0.05x", "1001x", "-1x", "nan", "inf", "fast"] {
            let told = text.parse::<Speed>().unwrap_err().to_string();
            assert_eq!(told, format!("'{text}' is no speed: expected 0.1x to 1000x, such as 4x"));
        }
    }
}
