//! What an answer, or the lack of one, proves about a request to send.
//!
//! The rule is: only what certainly had no effect may be sent again without looking. Everything else is unsure,
//! which costs one look-up and a wait, while a wrong "not sent" costs somebody a second fax.
//!
//! | seen | means |
//! |---|---|
//! | no connection (name, refusal, TLS), or no byte of the body was handed over | not sent |
//! | 2xx with an id and without `success:false` | taken |
//! | 2xx with `success:false` | refused |
//! | 2xx that cannot be understood, or was cut off | unsure |
//! | 301, 307, 308 (nobody works on a request that it sends elsewhere) | not sent |
//! | 401, 403 | unauthorized |
//! | 429, 420 | rate limited |
//! | 408, 409 (may speak of an earlier copy), other 3xx | unsure |
//! | 421, 425 (defined as: not processed) | not sent |
//! | other 4xx | refused |
//! | 503 with `Retry-After`, or empty and without a content type | not sent |
//! | other 503, other 5xx, everything else | unsure |
//!
//! On 503: the server that says when to come back has declined (RFC 9110 section 15.6.4), and the empty answer
//! without a content type is what the vendor's front sends when no back end took the request. A 503 with a page or a
//! message of some application has no such promise behind it.

use std::time::Duration;

use http::StatusCode;
use http::header::{CONTENT_TYPE, DATE, HeaderMap, RETRY_AFTER};
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;

use super::status::shown;
use super::wire::Envelope;
use super::{CreateOutcome, LookupError};
use faxgate_domain::provider::{ErrorType, FaxError};

/// The longest wait that is believed: a day. A longer one is a mistake of somebody's.
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 3600);

/// An answer, with as much of its body as came.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    /// The body, or why it did not come in full.
    pub(super) body: Result<Vec<u8>, String>,
}

impl Answer {
    /// What this answer proves about a request to send.
    pub(super) fn create_outcome(&self) -> CreateOutcome {
        let code = self.status.as_u16();
        let reason = self.reason();
        let retry_after = self.retry_after();
        match code {
            200..=299 => self.accepted(),
            301 | 307 | 308 => CreateOutcome::NotSent {
                reason: format!("{reason}: redirects are not followed, check phaxio.api_url"),
                retry_after,
            },
            401 | 403 => CreateOutcome::Unauthorized { reason },
            420 | 429 => CreateOutcome::RateLimited { reason, retry_after },
            421 | 425 => CreateOutcome::NotSent { reason, retry_after },
            408 | 409 => CreateOutcome::Unsure { reason },
            400..=499 => CreateOutcome::Refused(self.refusal()),
            503 if retry_after.is_some() || self.is_bare() => CreateOutcome::NotSent { reason, retry_after },
            _ => CreateOutcome::Unsure { reason },
        }
    }

    /// The error that this answer is to a question, if it is one.
    pub(super) fn lookup_error(&self) -> Option<LookupError> {
        match self.status.as_u16() {
            200..=299 => None,
            401 | 403 => Some(LookupError::Unauthorized),
            404 | 410 => Some(LookupError::NotFound),
            420 | 429 => Some(LookupError::RateLimited {
                retry_after: self.retry_after(),
            }),
            408 | 500..=599 => Some(LookupError::Unreachable(self.reason())),
            _ => Some(LookupError::BadAnswer(self.reason())),
        }
    }

    /// The envelope, when the body came in full and is one.
    pub(super) fn envelope(&self) -> Result<Envelope, String> {
        let body = self.body.as_ref().map_err(Clone::clone)?;
        Envelope::parse(body).ok_or_else(|| format!("{} without a JSON object", self.code()))
    }

    /// The status and the provider's words, without numbers, for timelines and logs.
    pub(super) fn reason(&self) -> String {
        match self.words() {
            Some(words) => format!("{}: {words}", self.code()),
            None => self.code(),
        }
    }

    fn accepted(&self) -> CreateOutcome {
        let envelope = match self.envelope() {
            Ok(envelope) => envelope,
            Err(reason) => return CreateOutcome::Unsure { reason },
        };
        match (envelope.success, envelope.id()) {
            (Some(false), None) => CreateOutcome::Refused(self.refusal()),
            // Success denied and an id given: believe neither.
            (Some(false), Some(_)) => CreateOutcome::Unsure {
                reason: format!("{} with success:false and an id", self.code()),
            },
            (_, Some(provider_id)) => CreateOutcome::Taken { provider_id },
            (_, None) => CreateOutcome::Unsure {
                reason: format!("{} without an id", self.code()),
            },
        }
    }

    fn refusal(&self) -> FaxError {
        FaxError {
            error_type: ErrorType::Rejected,
            error_id: None,
            message: self
                .words()
                .unwrap_or_else(|| format!("the provider refused the request ({})", self.code())),
        }
    }

    fn words(&self) -> Option<String> {
        let envelope = self.envelope().ok()?;
        (!envelope.message.is_empty()).then(|| shown(&envelope.message))
    }

    fn code(&self) -> String {
        format!("HTTP {}", self.status.as_u16())
    }

    /// Whether nothing but a status came.
    fn is_bare(&self) -> bool {
        self.body.as_ref().is_ok_and(Vec::is_empty) && !self.headers.contains_key(CONTENT_TYPE)
    }

    fn retry_after(&self) -> Option<Duration> {
        let text = self.headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
        if let Ok(seconds) = text.parse::<u64>() {
            return Some(Duration::from_secs(seconds).min(LONGEST_WAIT));
        }
        let until = http_date(text)?;
        // Counted from the server's own clock where it tells it: ours may be wrong by more than the wait.
        let now = self
            .headers
            .get(DATE)
            .and_then(|date| http_date(date.to_str().ok()?))
            .unwrap_or_else(Timestamp::now);
        let left = Duration::try_from(until.duration_since(now)).unwrap_or_default();
        Some(left.min(LONGEST_WAIT))
    }
}

/// RFC 9110 section 5.6.7, the preferred form: `Sun, 06 Nov 1994 08:49:37 GMT`.
fn http_date(text: &str) -> Option<Timestamp> {
    DateTimeParser::new().parse_timestamp(text).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

    use super::*;

    fn answer(status: u16, headers: &[(&'static str, &'static str)], body: &str) -> Answer {
        Answer {
            status: StatusCode::from_u16(status).unwrap(),
            headers: headers
                .iter()
                .map(|&(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
                .collect(),
            body: Ok(body.as_bytes().to_vec()),
        }
    }

    fn kind(outcome: &CreateOutcome) -> &'static str {
        match outcome {
            CreateOutcome::Taken { .. } => "taken",
            CreateOutcome::NotSent { .. } => "not sent",
            CreateOutcome::RateLimited { .. } => "rate limited",
            CreateOutcome::Refused(_) => "refused",
            CreateOutcome::Unauthorized { .. } => "unauthorized",
            CreateOutcome::Unsure { .. } => "unsure",
        }
    }

    #[test]
    fn every_status_has_its_meaning() {
        let no = r#"{"success":false,"message":"no"}"#;
        for (status, headers, body, meaning) in [
            (200, &[][..], r#"{"success":true,"data":{"id":5}}"#, "taken"),
            (201, &[][..], r#"{"data":{"id":"5"}}"#, "taken"),
            (200, &[][..], r#"{"success":true,"message":"ok"}"#, "unsure"),
            (200, &[][..], no, "refused"),
            (200, &[][..], r#"{"success":false,"data":{"id":5}}"#, "unsure"),
            (200, &[][..], "<html>", "unsure"),
            (204, &[][..], "", "unsure"),
            (301, &[][..], "", "not sent"),
            (303, &[][..], "", "unsure"),
            (400, &[][..], no, "refused"),
            (401, &[][..], no, "unauthorized"),
            (403, &[][..], "", "unauthorized"),
            (404, &[][..], no, "refused"),
            (408, &[][..], "", "unsure"),
            (409, &[][..], no, "unsure"),
            (413, &[][..], "<html>", "refused"),
            (422, &[][..], no, "refused"),
            (425, &[][..], "", "not sent"),
            (429, &[][..], no, "rate limited"),
            (500, &[][..], no, "unsure"),
            (502, &[("content-type", "text/html")][..], "<html>", "unsure"),
            (503, &[][..], "", "not sent"),
            (503, &[("retry-after", "9")][..], no, "not sent"),
            (503, &[("content-type", "application/json")][..], no, "unsure"),
            (503, &[("content-type", "text/html")][..], "", "unsure"),
            (504, &[("retry-after", "9")][..], "", "unsure"),
        ] {
            let outcome = answer(status, headers, body).create_outcome();
            assert_eq!(kind(&outcome), meaning, "{status} {body}");
        }
    }

    #[test]
    fn an_answer_cut_off_proves_nothing_but_its_status() {
        let cut = |status| Answer {
            body: Err("connection lost".to_owned()),
            ..answer(status, &[], "")
        };
        assert_eq!(kind(&cut(200).create_outcome()), "unsure");
        assert_eq!(kind(&cut(422).create_outcome()), "refused");
        assert_eq!(kind(&cut(503).create_outcome()), "unsure");
    }

    #[test]
    fn refusals_carry_the_words_without_numbers() {
        let said = answer(
            422,
            &[],
            r#"{"success":false,"message":"+12125550142 is not\na number"}"#,
        );
        let CreateOutcome::Refused(error) = said.create_outcome() else {
            panic!("refused");
        };
        assert_eq!(error.error_type, ErrorType::Rejected);
        assert_eq!(error.message, "+… is not a number");
        let CreateOutcome::Refused(mute) = answer(422, &[], "").create_outcome() else {
            panic!("refused");
        };
        assert_eq!(mute.message, "the provider refused the request (HTTP 422)");
    }

    #[test]
    fn waits_are_seconds_or_dates_by_the_servers_clock() {
        let wait = |headers: &[(&'static str, &'static str)]| answer(429, headers, "").retry_after();
        assert_eq!(wait(&[("retry-after", "30")]), Some(Duration::from_secs(30)));
        assert_eq!(wait(&[("retry-after", "99999999")]), Some(LONGEST_WAIT));
        assert_eq!(wait(&[("retry-after", "-1")]), None);
        assert_eq!(wait(&[("retry-after", "soon")]), None);
        assert_eq!(wait(&[]), None);
        let dated = [
            ("retry-after", "Sun, 06 Nov 1994 08:50:37 GMT"),
            ("date", "Sun, 06 Nov 1994 08:49:37 GMT"),
        ];
        assert_eq!(wait(&dated), Some(Duration::from_secs(60)));
        let past = [
            ("retry-after", "Sun, 06 Nov 1994 08:48:37 GMT"),
            ("date", "Sun, 06 Nov 1994 08:49:37 GMT"),
        ];
        assert_eq!(wait(&past), Some(Duration::ZERO));
    }
}
