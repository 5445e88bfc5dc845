//! When a fax is to be sent: not before a time, and together with others to the same number.

use std::time::Duration;

use jiff::Timestamp;

use crate::Error;
use faxgate_base::clock::{after, before};
use faxgate_domain::code::Code;
use faxgate_domain::job::SendOptions;

/// How far ahead a fax may be scheduled: further off it is more likely a mistake than a plan.
const LONGEST_AHEAD: Duration = Duration::from_secs(90 * 24 * 3600);
/// A time that passed no longer ago than this means "now": clocks differ and requests take time.
const LATEST_PAST: Duration = Duration::from_secs(3600);
/// Seconds that the provider takes, and the least that it keeps.
const MOST_BATCH: u32 = 3600;
const LEAST_BATCH: u32 = 5;

/// What a sender may say about time, as texts.
#[derive(Debug, Clone, Default)]
pub struct Schedule {
    /// `send_at`, RFC 3339.
    pub send_at: Option<String>,
    /// `batch_delay`, in seconds.
    pub batch_delay: Option<String>,
}

impl Schedule {
    /// Puts what is given into `options`. A time is always the request's own; a delay replaces an earlier one.
    ///
    /// # Errors
    /// [`Code::Invalid`] for what is no time or no number of seconds that the provider takes.
    pub fn apply(self, options: &mut SendOptions) -> Result<(), Error> {
        options.send_at = match given(self.send_at) {
            None => None,
            Some(text) => Some(text.parse().map_err(|_| {
                invalid("send_at is a time with an offset (RFC 3339), for example 2030-01-31T12:00:00Z")
            })?),
        };
        if let Some(text) = given(self.batch_delay) {
            let seconds = text
                .parse()
                .ok()
                .filter(|seconds| *seconds == 0 || (LEAST_BATCH..=MOST_BATCH).contains(seconds));
            let Some(seconds) = seconds else {
                return Err(invalid(&format!(
                    "batch_delay is a whole number of seconds from {LEAST_BATCH} to {MOST_BATCH}, or 0 for none"
                )));
            };
            options.batch_delay = Some(seconds);
        }
        Ok(())
    }
}

/// Checks the time that a fax is scheduled for.
pub(super) fn check(options: &SendOptions, now: Timestamp) -> Result<(), Error> {
    let Some(at) = options.send_at else {
        return Ok(());
    };
    if at < before(now, LATEST_PAST) {
        return Err(invalid(
            "send_at has passed: leave it out to send at once, or give a time to come",
        ));
    }
    if at > after(now, LONGEST_AHEAD) {
        return Err(invalid(&format!(
            "send_at is too far off: a fax can be scheduled up to {} days ahead",
            LONGEST_AHEAD.as_secs() / 86_400
        )));
    }
    Ok(())
}

/// Forms send empty fields for what was left out.
fn given(text: Option<String>) -> Option<String> {
    text.map(|text| text.trim().to_owned())
        .filter(|text| !text.is_empty())
}

fn invalid(detail: &str) -> Error {
    Error::new(Code::Invalid, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(send_at: &str, batch_delay: &str) -> Result<SendOptions, Error> {
        let mut options = SendOptions::default();
        let schedule = Schedule {
            send_at: Some(send_at.to_owned()),
            batch_delay: Some(batch_delay.to_owned()),
        };
        schedule.apply(&mut options).map(|()| options)
    }

    #[test]
    fn times_and_delays_are_read_or_refused() {
        let read = options(" 2030-01-31T12:00:00+02:00 ", "30").expect("read");
        assert_eq!(read.send_at, "2030-01-31T10:00:00Z".parse().ok());
        assert_eq!(read.batch_delay, Some(30));
        assert_eq!(options("", "").expect("nothing"), SendOptions::default());
        assert_eq!(options("", "0").expect("none").batch_delay, Some(0));
        for bad in ["tomorrow", "2030-01-31", "2030-01-31T12:00:00", "1900000000"] {
            assert!(options(bad, "").is_err(), "{bad}");
        }
        for bad in ["4", "3601", "-1", "5.5", "ten", "99999999999"] {
            assert!(options("", bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_time_is_near_and_to_come() {
        let now: Timestamp = "2030-01-31T12:00:00Z".parse().expect("time");
        let at = |text: &str| {
            let send_at = text.parse().ok();
            check(
                &SendOptions {
                    send_at,
                    ..SendOptions::default()
                },
                now,
            )
            .is_ok()
        };
        assert!(at("2030-01-31T11:00:00Z") && at("2030-01-31T12:00:01Z") && at("2030-05-01T11:59:59Z"));
        assert!(!at("2030-01-31T10:59:59Z") && !at("2030-05-01T12:00:01Z") && !at("1970-01-01T00:00:00Z"));
    }
}
