//! How the provider behaves, told per number.
//!
//! A plan is put together from words; each word changes one side of it, so `["accept_then_drop", "busy"]` is a fax
//! whose request to send gets no answer and that then fails busy. Words come from `POST /simulator/script`, from the
//! tag `sim` (words separated by commas), or from the last four digits of the number:
//!
//! | digits | word | the provider … |
//! |---|---|---|
//! | others | `success` | answers, fetches, sends, calls back |
//! | 9900 | `accept_then_drop` | takes the fax and drops the connection |
//! | 9901 | `drop` | drops the connection without taking it |
//! | 9902 | `slow_answer` | takes it and answers after `seconds` (default 2) of real time |
//! | 9903 | `garbage_answer` | takes it and answers 200 with a page of HTML |
//! | 9904 | `cut_answer` | takes it and stops in the middle of its answer |
//! | 9905 | `mute_answer` | takes it and answers success without an id |
//! | 9906 | `answer_lost` | takes it and never answers |
//! | 9912 | `no_answer` | fails it: lineError 112 |
//! | 9917 | `busy` | fails it: lineError 17, told of the recipient only |
//! | 9920 | `success_false` | answers 200 with `success:false` |
//! | 9922 | `unprocessable` | answers 422 |
//! | 9928 | `rate_limit_retry_after` | answers 429 with `Retry-After` (`retry_after`, default 1) |
//! | 9929 | `rate_limit` | answers 429 |
//! | 9931 | `partial_delivered` | ends it as partialsuccess, our recipient got it |
//! | 9932 | `partial_failed` | ends it as partialsuccess, our recipient did not get it |
//! | 9935 | `retry` | lets the first call fail, then delivers it |
//! | 9936 | `stuck` | never finishes it |
//! | 9937 | `cancel_race` | agrees to cancel it and completes it all the same |
//! | 9941 | `unauthorized` | answers 401 |
//! | 9949 | `not_operational` | fails it: lineError 49 |
//! | 9950 | `error_500_after_accept` | takes it and answers 500 |
//! | 9951 | `error_500` | answers 500 without taking it |
//! | 9952 | `bad_gateway` | answers 502 with HTML without taking it |
//! | 9953 | `unavailable` | answers 503, empty, without taking it |
//! | 9954 | `bad_gateway_after_accept` | takes it and answers 502 with HTML |
//! | 9955 | `unavailable_retry_after` | answers 503 with `Retry-After` without taking it |
//! | 9956 | `gateway_timeout_after_accept` | takes it and answers 504 |
//! | 9957 | `unavailable_after_accept` | takes it and answers 503 with JSON |
//! | 9960 | `fetch_late` | fetches the document only after `seconds` (default 120) of its time |
//! | 9961 | `fetch_twice` | fetches the document twice |
//! | 9969 | `document_failure` | fails it: documentConversionError 69 |
//! | 9970 | `list_lag` | shows it in lists only after `seconds` (default 30) of its time |
//! | 9971 | `accept_then_drop`, `list_lag` | both |
//! | 9972 | `lookup_fails` | answers 500 to the first two questions about it |
//! | 9973 | `taken_twice` | makes two faxes of one request and drops the connection |
//! | 9980 | `callback_twice` | calls back again after the 200 |
//! | 9981 | `callback_reordered` | sends the news under way after the final one |
//! | 9982 | `callback_before_answer` | finishes and calls back before it answers the request to send |
//! | 9983 | `callback_never` | never calls back |
//! | 9984 | `callback_unsigned` | calls back without a signature |
//! | 9985 | `callback_wrong_signature` | calls back with a signature of another token |
//! | 9986 | `callback_inflight` | also reports pages under way |
//! | 9987 | `callback_late` | calls back only after `seconds` (default 60) of its time |
//! | 9990 | `unknown_status` | shows a status word nobody knows (`status_word`) before it delivers |
//! | - | `failure` | fails it with `error_type`, `error_id` and `message` |
//! | 9991 | `unknown_error` | fails it with an error nobody knows (`error_id`, `error_type`) |
//!
//! `cost` of a script is what the fax costs in the end, in US cents, whatever becomes of it.
//!
//! What is refused without being taken is refused for the first two requests of a job (`times` of a script says
//! otherwise), so that every job gets through in the end; 401 and 422 are for good.

use serde::{Deserialize, Serialize};

use super::record::Failure;
use super::{Scheme, WebhookVersion};

/// How one fax is dealt with.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Plan {
    /// The words it was made from.
    pub(super) words: Vec<String>,
    pub(super) create: CreateAct,
    pub(super) fate: Fate,
    pub(super) callbacks: Callbacks,
    /// Provider seconds until lists show it.
    pub(super) list_lag: f64,
    /// Questions about it that are still to be answered with 500.
    #[serde(default)]
    pub(super) lookup_faults: u32,
    /// Whether one request makes two faxes.
    #[serde(default)]
    pub(super) doubled: bool,
    #[serde(default)]
    pub(super) fetching: Fetching,
    /// What it costs in the end, when not by the page.
    #[serde(default)]
    pub(super) cost: Option<i64>,
}

/// How the document is fetched.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Fetching {
    /// Provider seconds until it is.
    pub(super) lag: f64,
    pub(super) twice: bool,
}

/// How the request to send is answered.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) enum CreateAct {
    /// 200 with the id.
    #[default]
    Answer,
    /// Some status; whether the fax is taken is said apart.
    Status {
        taken: bool,
        status: u16,
        body: AnswerBody,
        retry_after: Option<u64>,
    },
    /// No answer, connection closed.
    Drop { taken: bool },
    /// Taken, and answered after so many real seconds.
    Slow { seconds: f64 },
    /// Taken, and answered 200 with something else.
    Strange(Strange),
}

/// What comes with a status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum AnswerBody {
    Empty,
    Json,
    Html,
}

/// Answers that say 200 and nothing useful.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Strange {
    Html,
    CutOff,
    NoId,
    /// Nothing at all, and the connection stays.
    Silence,
}

/// What becomes of the fax.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) enum Fate {
    #[default]
    Deliver,
    Fail {
        failure: Failure,
        /// Told of the recipient only; the fax itself has no error.
        recipient_only: bool,
    },
    Partial {
        ours_delivered: bool,
    },
    /// One failed call, then delivery.
    Retry,
    Stuck,
    /// Completes although it was cancelled.
    CancelRace,
    /// Shows an unknown word on the way to delivery.
    UnknownWord(String),
}

/// How the news is told.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Callbacks {
    pub(super) never: bool,
    pub(super) twice: bool,
    pub(super) reordered: bool,
    pub(super) before_answer: bool,
    pub(super) inflight: bool,
    /// Provider seconds from the end to the news of it.
    #[serde(default)]
    pub(super) lag: f64,
    pub(super) scheme: Option<Scheme>,
    pub(super) version: Option<WebhookVersion>,
}

/// A rule that a test made.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Rule {
    /// The number, or `*` for every one.
    pub(super) to: String,
    /// Requests it still applies to; none for every one.
    pub(super) left: Option<u32>,
    pub(super) plan: Plan,
}

/// The body of `POST /simulator/script`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Script {
    /// The number; every one when left out.
    pub(super) to: Option<String>,
    pub(super) behaviour: Option<Words>,
    /// Requests to send that it applies to; every one when left out.
    pub(super) times: Option<u32>,
    /// Drop every rule for the number first.
    pub(super) clear: bool,
    pub(super) seconds: Option<f64>,
    pub(super) retry_after: Option<u64>,
    pub(super) status_word: Option<String>,
    pub(super) error_id: Option<i64>,
    pub(super) error_type: Option<String>,
    pub(super) message: Option<String>,
    /// US cents.
    pub(super) cost: Option<i64>,
    pub(super) scheme: Option<Scheme>,
    pub(super) version: Option<WebhookVersion>,
}

/// One word or several.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(super) enum Words {
    One(String),
    Several(Vec<String>),
}

/// A word that is none.
#[derive(Debug, thiserror::Error)]
#[error("no behaviour is called {0:?}; simulator/script.rs lists them")]
pub(super) struct UnknownWord(String);

impl Words {
    pub(super) fn list(&self) -> Vec<&str> {
        match self {
            Self::One(words) => words.split(',').map(str::trim).collect(),
            Self::Several(words) => words.iter().map(String::as_str).collect(),
        }
    }
}

impl Plan {
    /// The plan that `words` describe.
    pub(super) fn of(words: &[&str], details: &Script) -> Result<Self, UnknownWord> {
        let mut plan = Self {
            cost: details.cost,
            ..Self::default()
        };
        plan.callbacks.scheme = details.scheme;
        plan.callbacks.version = details.version;
        for word in words {
            let known = plan.set_answer(word, details)
                || plan.set_fate(word, details)
                || plan.set_news(word, details);
            if !known {
                return Err(UnknownWord((*word).to_owned()));
            }
            plan.words.push((*word).to_owned());
        }
        Ok(plan)
    }

    /// The plan of the number table.
    pub(super) fn by_number(number: &str) -> Self {
        let words: &[&str] = match number.get(number.len().saturating_sub(4)..).unwrap_or_default() {
            "9971" => &["accept_then_drop", "list_lag"],
            digits => match TABLE.iter().find(|(known, _)| *known == digits) {
                Some((_, word)) => &[word],
                None => &[],
            },
        };
        Self::of(words, &Script::default()).unwrap_or_default()
    }

    /// Whether the provider has the fax after the request.
    pub(super) fn takes(&self) -> bool {
        match self.create {
            CreateAct::Answer | CreateAct::Slow { .. } | CreateAct::Strange(_) => true,
            CreateAct::Status { taken, .. } | CreateAct::Drop { taken } => taken,
        }
    }

    /// Whether the refusal passes when the request is repeated.
    pub(super) fn is_passing(&self) -> bool {
        !self.takes()
            && !matches!(
                self.create,
                CreateAct::Status {
                    status: 200 | 401 | 422,
                    ..
                }
            )
    }

    fn set_answer(&mut self, word: &str, details: &Script) -> bool {
        let status = |taken, status, body| CreateAct::Status {
            taken,
            status,
            body,
            retry_after: details.retry_after,
        };
        let waiting = |status| CreateAct::Status {
            taken: false,
            status,
            body: AnswerBody::Json,
            retry_after: Some(details.retry_after.unwrap_or(1)),
        };
        self.doubled |= word == "taken_twice";
        self.create = match word {
            "accept_then_drop" | "taken_twice" => CreateAct::Drop { taken: true },
            "drop" => CreateAct::Drop { taken: false },
            "slow_answer" => CreateAct::Slow {
                seconds: details.seconds.unwrap_or(2.0),
            },
            "garbage_answer" => CreateAct::Strange(Strange::Html),
            "cut_answer" => CreateAct::Strange(Strange::CutOff),
            "mute_answer" => CreateAct::Strange(Strange::NoId),
            "answer_lost" => CreateAct::Strange(Strange::Silence),
            "success_false" => status(false, 200, AnswerBody::Json),
            "unprocessable" => status(false, 422, AnswerBody::Json),
            "unauthorized" => status(false, 401, AnswerBody::Json),
            "rate_limit" => status(false, 429, AnswerBody::Json),
            "rate_limit_retry_after" => waiting(429),
            "error_500" => status(false, 500, AnswerBody::Json),
            "error_500_after_accept" => status(true, 500, AnswerBody::Json),
            "bad_gateway" => status(false, 502, AnswerBody::Html),
            "bad_gateway_after_accept" => status(true, 502, AnswerBody::Html),
            "unavailable" => status(false, 503, AnswerBody::Empty),
            "unavailable_retry_after" => waiting(503),
            "unavailable_after_accept" => status(true, 503, AnswerBody::Json),
            "gateway_timeout_after_accept" => status(true, 504, AnswerBody::Html),
            _ => return false,
        };
        true
    }

    fn set_fate(&mut self, word: &str, details: &Script) -> bool {
        let fail = |kind: &str, id: i64, message: &str| Fate::Fail {
            failure: Failure::new(
                details.error_type.as_deref().unwrap_or(kind),
                details.error_id.unwrap_or(id),
                details.message.as_deref().unwrap_or(message),
            ),
            recipient_only: false,
        };
        self.fate = match word {
            "success" => Fate::Deliver,
            "busy" => Fate::Fail {
                failure: Failure::new("lineError", 17, "Busy"),
                recipient_only: true,
            },
            "no_answer" => fail("lineError", 112, "No answer"),
            "not_operational" => fail("lineError", 49, "The Receiving Phone Number Is Not Operational"),
            "document_failure" => fail(
                "documentConversionError",
                69,
                "There was a problem in converting and merging files to the output file format.",
            ),
            "failure" => fail("generalError", 3, "General error."),
            "unknown_error" => fail("weatherError", 9001, "Clouds over the exchange"),
            "partial_delivered" => Fate::Partial { ours_delivered: true },
            "partial_failed" => Fate::Partial {
                ours_delivered: false,
            },
            "retry" => Fate::Retry,
            "stuck" => Fate::Stuck,
            "cancel_race" => Fate::CancelRace,
            "unknown_status" => Fate::UnknownWord(
                details
                    .status_word
                    .clone()
                    .unwrap_or_else(|| "teleporting".to_owned()),
            ),
            _ => return false,
        };
        true
    }

    fn set_news(&mut self, word: &str, details: &Script) -> bool {
        match word {
            "callback_twice" => self.callbacks.twice = true,
            "callback_reordered" => self.callbacks.reordered = true,
            "callback_before_answer" => self.callbacks.before_answer = true,
            "callback_never" => self.callbacks.never = true,
            "callback_unsigned" => self.callbacks.scheme = Some(Scheme::None),
            "callback_wrong_signature" => self.callbacks.scheme = Some(Scheme::Wrong),
            "callback_inflight" => self.callbacks.inflight = true,
            "callback_late" => self.callbacks.lag = details.seconds.unwrap_or(60.0),
            "list_lag" => self.list_lag = details.seconds.unwrap_or(30.0),
            "lookup_fails" => self.lookup_faults = LOOKUP_FAULTS,
            "fetch_late" => self.fetching.lag = details.seconds.unwrap_or(120.0),
            "fetch_twice" => self.fetching.twice = true,
            _ => return false,
        }
        true
    }
}

/// How many questions `lookup_fails` leaves without an answer.
const LOOKUP_FAULTS: u32 = 2;

const TABLE: &[(&str, &str)] = &[
    ("9900", "accept_then_drop"),
    ("9901", "drop"),
    ("9902", "slow_answer"),
    ("9903", "garbage_answer"),
    ("9904", "cut_answer"),
    ("9905", "mute_answer"),
    ("9906", "answer_lost"),
    ("9912", "no_answer"),
    ("9917", "busy"),
    ("9920", "success_false"),
    ("9922", "unprocessable"),
    ("9928", "rate_limit_retry_after"),
    ("9929", "rate_limit"),
    ("9931", "partial_delivered"),
    ("9932", "partial_failed"),
    ("9935", "retry"),
    ("9936", "stuck"),
    ("9937", "cancel_race"),
    ("9941", "unauthorized"),
    ("9949", "not_operational"),
    ("9950", "error_500_after_accept"),
    ("9951", "error_500"),
    ("9952", "bad_gateway"),
    ("9953", "unavailable"),
    ("9954", "bad_gateway_after_accept"),
    ("9955", "unavailable_retry_after"),
    ("9956", "gateway_timeout_after_accept"),
    ("9957", "unavailable_after_accept"),
    ("9960", "fetch_late"),
    ("9961", "fetch_twice"),
    ("9969", "document_failure"),
    ("9970", "list_lag"),
    ("9972", "lookup_fails"),
    ("9973", "taken_twice"),
    ("9980", "callback_twice"),
    ("9981", "callback_reordered"),
    ("9982", "callback_before_answer"),
    ("9983", "callback_never"),
    ("9984", "callback_unsigned"),
    ("9985", "callback_wrong_signature"),
    ("9986", "callback_inflight"),
    ("9987", "callback_late"),
    ("9990", "unknown_status"),
    ("9991", "unknown_error"),
];

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn every_word_of_the_table_is_known() {
        for (digits, word) in TABLE {
            let plan = Plan::by_number(&format!("+1212555{digits}"));
            assert_eq!(plan.words, [*word]);
        }
        assert_eq!(Plan::by_number("+12125550142"), Plan::default());
        assert_eq!(Plan::by_number("+12125559971").words.len(), 2);
        assert_eq!(Plan::by_number(""), Plan::default());
    }

    #[test]
    fn words_add_up_and_strange_ones_are_refused() {
        let plan = Plan::of(
            &["accept_then_drop", "busy", "callback_twice"],
            &Script::default(),
        )
        .unwrap();
        assert!(plan.takes() && plan.callbacks.twice);
        assert!(matches!(plan.fate, Fate::Fail { .. }));
        assert!(Plan::of(&["telepathy"], &Script::default()).is_err());
    }

    #[test]
    fn refusals_for_good_stay() {
        for (word, passing) in [
            ("unavailable", true),
            ("drop", true),
            ("rate_limit", true),
            ("unauthorized", false),
            ("success_false", false),
            ("error_500_after_accept", false),
        ] {
            assert_eq!(
                Plan::of(&[word], &Script::default()).unwrap().is_passing(),
                passing,
                "{word}"
            );
        }
    }
}
