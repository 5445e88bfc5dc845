//! `[tokens]` and `[retention]`: lifetimes of links and documents.

use std::time::Duration;

use crate::read::reader::{Reader, Unit};

/// `[tokens]`
#[derive(Debug, Clone)]
pub struct TokensConfig {
    /// `pdf_ttl_minutes`: links to documents of sent faxes
    pub pdf_ttl: Duration,
    /// `inbound_ttl_minutes`: links to received documents
    pub inbound_ttl: Duration,
}

/// `[retention]`
#[derive(Debug, Clone)]
pub struct RetentionConfig {
    /// `artifact_ttl_days`: none keeps documents of sent faxes
    pub artifact_ttl: Option<Duration>,
    /// `destroy_at_end`: documents of sent faxes are destroyed as soon as the fax has ended
    pub destroy_at_end: bool,
    /// `inbound_days`: none (0) keeps received documents
    pub inbound: Option<Duration>,
    /// `cleanup_interval_minutes`
    pub cleanup_interval: Duration,
}

impl RetentionConfig {
    /// How long the document of a sent fax outlives the end of the fax; none keeps it.
    #[must_use]
    pub fn artifact_span(&self) -> Option<Duration> {
        if self.destroy_at_end {
            Some(Duration::ZERO)
        } else {
            self.artifact_ttl
        }
    }
}

const YEAR_IN_MINUTES: f64 = 525_600.0;
const CENTURY_IN_DAYS: f64 = 36_525.0;

impl TokensConfig {
    pub(crate) fn read(from: &mut Reader<'_>) -> Self {
        let mut minutes = |key| from.span(key, Unit::Minutes, 0.01..=YEAR_IN_MINUTES);
        Self {
            pdf_ttl: minutes("tokens.pdf_ttl_minutes"),
            inbound_ttl: minutes("tokens.inbound_ttl_minutes"),
        }
    }
}

impl RetentionConfig {
    pub(crate) fn read(from: &mut Reader<'_>) -> Self {
        let mut days = |key| {
            let span = from.span(key, Unit::Days, 0.0..=CENTURY_IN_DAYS);
            (!span.is_zero()).then_some(span)
        };
        Self {
            artifact_ttl: days("retention.artifact_ttl_days"),
            inbound: days("retention.inbound_days"),
            destroy_at_end: from.flag("retention.destroy_at_end"),
            cleanup_interval: from.span(
                "retention.cleanup_interval_minutes",
                Unit::Minutes,
                0.01..=YEAR_IN_MINUTES,
            ),
        }
    }
}
