//! The fax object: what the API answers and what callbacks carry. Any member may be missing.

use jiff::Timestamp;
use serde_json::Value;

use super::error::{self, ErrorType};
use super::fields::{JOB_LABEL, JOB_QUERY};
use super::price::Price;
use super::status;
use crate::failure::FailureClass;
use crate::json::{self, Object};
use crate::status::{Direction, ReceivedStatus, SentStatus};

/// A fax object.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Fax {
    /// The provider's id, byte for byte.
    pub id: Option<String>,
    /// Which way it goes, when it says so.
    pub direction: Option<Direction>,
    /// Number of the sender.
    pub from: Option<String>,
    /// Number dialled.
    pub to: Option<String>,
    /// The provider's word for its state.
    pub status: Option<String>,
    /// Pages of the document, once it is converted.
    pub pages: Option<u32>,
    /// Pages that the other machine confirmed.
    pub pages_sent: Option<u32>,
    /// What it costs; often later than the final state.
    pub price: Option<Price>,
    /// When the provider had it.
    pub created_at: Option<Timestamp>,
    /// When it ended.
    pub completed_at: Option<Timestamp>,
    /// Calls that failed before the present one.
    pub retry_count: Option<i64>,
    /// Names and values it was sent with.
    pub labels: Vec<(String, String)>,
    /// Address of its callbacks, with user and password masked.
    pub callback_url: Option<String>,
    /// What went wrong.
    pub error: Option<FaxError>,
    /// Whether the provider keeps a document, when it says so.
    pub has_file: Option<bool>,
}

/// What went wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FaxError {
    /// The provider's class as it is written, see [`ErrorType`].
    pub error_type: Option<String>,
    /// Number.
    pub code: Option<i64>,
    /// The provider's words without addresses, see [`error::without_urls`].
    pub message: Option<String>,
}

impl Fax {
    /// Reads a fax object; none when the value is not an object.
    #[must_use]
    pub fn from_value(value: &Value) -> Option<Self> {
        value.as_object().map(Self::from_object)
    }

    /// Reads a fax object.
    #[must_use]
    pub fn from_object(object: &Object) -> Self {
        Self {
            id: json::text(object, "id"),
            direction: json::text(object, "direction").and_then(|word| status::direction(&word)),
            from: json::text(object, "from"),
            to: json::text(object, "to"),
            status: json::text(object, "status"),
            pages: json::count(object, "numberOfPages"),
            pages_sent: json::integer(object, "pagesSentSuccessfully")
                .and_then(|pages| pages.try_into().ok()),
            price: object.get("price").and_then(Price::from_value),
            created_at: json::time(object, "createTime"),
            completed_at: json::time(object, "completedTime"),
            retry_count: json::integer(object, "retryCount"),
            labels: json::texts(object.get("labels")),
            callback_url: json::text(object, "callbackUrl"),
            error: FaxError::from_object(object),
            has_file: json::boolean(object, "hasFile"),
        }
    }

    /// The job that the fax carries the mark of: its label, else the query of its callback address.
    #[must_use]
    pub fn job_mark(&self) -> Option<&str> {
        let label = self.labels.iter().find(|(name, _)| name == JOB_LABEL);
        let query = || query_value(self.callback_url.as_deref()?, JOB_QUERY);
        label
            .map(|(_, value)| value.as_str())
            .or_else(query)
            .filter(|job| !job.is_empty())
    }

    /// Where it stands as a sent fax.
    #[must_use]
    pub fn sent_status(&self) -> SentStatus {
        status::sent(self.status.as_deref().unwrap_or_default())
    }

    /// Where it stands as a received fax. One without a word that has ended was received, unless it has an error.
    #[must_use]
    pub fn received_status(&self) -> ReceivedStatus {
        match (&self.status, self.completed_at, &self.error) {
            (Some(word), ..) => status::received(word),
            (None, _, Some(_)) => ReceivedStatus::Failed,
            (None, Some(_), None) => ReceivedStatus::Received,
            (None, None, None) => ReceivedStatus::Unknown,
        }
    }
}

impl FaxError {
    fn from_object(object: &Object) -> Option<Self> {
        // Before June 2024 the number was called `errorId`.
        let code = json::integer(object, "errorCode").or_else(|| json::integer(object, "errorId"));
        let error = Self {
            error_type: json::text(object, "errorType"),
            code,
            message: json::text(object, "errorMessage").map(|text| error::without_urls(&text)),
        };
        (error != Self::default()).then_some(error)
    }

    /// The provider's class, when it is a known one.
    #[must_use]
    pub fn known_type(&self) -> Option<ErrorType> {
        ErrorType::parse(self.error_type.as_deref()?)
    }

    /// What kind of failure it is.
    #[must_use]
    pub fn class(&self) -> FailureClass {
        error::class(self.known_type(), self.code)
    }
}

/// The first value of a query parameter, as it is written: job ids have nothing that is encoded.
#[must_use]
pub fn query_value<'a>(url: &'a str, name: &str) -> Option<&'a str> {
    let (_, query) = url.split_once('?')?;
    let query = query.split('#').next().unwrap_or_default();
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.find(|(known, _)| *known == name).map(|(_, value)| value)
}

/// An address without user and password, which the provider masks whenever it shows an address.
#[must_use]
pub fn without_userinfo(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at_checked(end).unwrap_or((rest, ""));
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    format!("{scheme}://{host}{path}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_job_is_named_by_label_or_callback_address() {
        let mark = |value: Value| {
            let fax = Fax::from_value(&value).expect("an object");
            fax.job_mark().map(str::to_owned)
        };
        let url = |query: &str| format!("https://***:***@h/sinch-callback{query}");
        for (value, expected) in [
            (json!({"labels": {"faxgate_job": "a"}}), Some("a")),
            (
                json!({"labels": {"faxgate_job": "a"}, "callbackUrl": url("?job_id=b")}),
                Some("a"),
            ),
            (json!({"callbackUrl": url("?job_id=b&token=T")}), Some("b")),
            (json!({"callbackUrl": url("?token=T&job_id=b#x")}), Some("b")),
            (json!({"callbackUrl": url("?xjob_id=b")}), None),
            (json!({"callbackUrl": url("?job_id=")}), None),
            (json!({"callbackUrl": url("")}), None),
            (json!({"labels": []}), None),
        ] {
            assert_eq!(mark(value.clone()).as_deref(), expected, "{value}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_absent() {
        let odd = json!({"id": 7, "direction": "UP", "numberOfPages": "3", "pagesSentSuccessfully": -1,
            "price": "free", "createTime": "soon", "labels": ["x"], "hasFile": "true", "errorId": "17",
            "new": {"deep": 1}});
        let expected = Fax {
            id: Some("7".into()),
            pages: Some(3),
            has_file: Some(true),
            error: Some(FaxError {
                code: Some(17),
                ..FaxError::default()
            }),
            ..Fax::default()
        };
        assert_eq!(Fax::from_value(&odd), Some(expected));
        assert_eq!(Fax::from_value(&json!([])), None);
    }

    #[test]
    fn a_received_fax_without_a_word_is_judged_by_its_end() {
        let status = |value: Value| Fax::from_value(&value).expect("an object").received_status();
        let end = "2026-10-06T13:15:24Z";
        assert_eq!(status(json!({"completedTime": end})), ReceivedStatus::Received);
        assert_eq!(
            status(json!({"completedTime": end, "errorCode": 117})),
            ReceivedStatus::Failed
        );
        assert_eq!(
            status(json!({"completedTime": end, "status": "QUEUED"})),
            ReceivedStatus::InProgress
        );
        assert_eq!(status(json!({})), ReceivedStatus::Unknown);
    }

    #[test]
    fn userinfo_is_left_out() {
        for (url, bare) in [
            ("https://u:p@h/x?y", "https://h/x?y"),
            ("https://***:***@h", "https://h"),
            ("https://h/a@b?c@d", "https://h/a@b?c@d"),
            ("h/x", "h/x"),
        ] {
            assert_eq!(without_userinfo(url), bare);
        }
    }
}
