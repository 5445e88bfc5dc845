//! Lists: which items and which part of them, as callers ask for them.

use jiff::{SignedDuration, Timestamp};

use crate::format::cursor::{Cursor, Scope};
use crate::format::table_key::{FIRST, LAST};
use faxgate_domain::inbound::{InboundFax, InboundStatus};
use faxgate_domain::job::{Job, PublicStatus};
use faxgate_domain::number::E164;

/// Which part of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageRequest {
    /// Items at most; at least 1 and at most 1000 are taken.
    pub limit: usize,
    /// Where the last page ended; none for the first.
    pub cursor: Option<Cursor>,
}

/// A part of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageOf<T> {
    /// The items, newest first.
    pub items: Vec<T>,
    /// Where to go on; none when this was all.
    pub next: Option<Cursor>,
}

/// How far the time inside an id may lie behind the time of making: ids never go back when the clock does.
pub(crate) const CLOCK_SLACK: SignedDuration = SignedDuration::from_mins(10);

/// Which jobs a list has. Every condition set must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JobFilter {
    /// Whose.
    pub owner: Option<String>,
    /// In which state.
    pub status: Option<PublicStatus>,
    /// To which number.
    pub to: Option<E164>,
    /// Accepted after this time, not at it.
    pub created_after: Option<Timestamp>,
    /// Accepted before this time, not at it.
    pub created_before: Option<Timestamp>,
}

/// Which received faxes a list has. Every condition set must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InboundFilter {
    /// Whose.
    pub owner: Option<String>,
    /// What this owner may see: its own and those without an owner.
    pub visible_to: Option<String>,
    /// To which number, as the provider gave it.
    pub to: Option<String>,
    /// From which number, as the provider gave it.
    pub from: Option<String>,
    /// In which state.
    pub status: Option<InboundStatus>,
    /// Received after this time, not at it.
    pub received_after: Option<Timestamp>,
}

impl JobFilter {
    pub(crate) fn fits(&self, job: &Job) -> bool {
        self.owner.as_ref().is_none_or(|owner| job.owner == *owner)
            && self.status.is_none_or(|status| job.status() == status)
            && self.to.as_ref().is_none_or(|to| job.to == *to)
            && self.created_after.is_none_or(|after| job.created_at > after)
            && self.created_before.is_none_or(|before| job.created_at < before)
    }

    /// The ids that can be on the list: an id carries the time of making, or a later one after the clock was
    /// set back.
    pub(crate) fn bounds(&self) -> ([u8; 16], [u8; 16]) {
        let low = self
            .created_after
            .map_or(FIRST, |after| first_id_at(after.as_millisecond()));
        let high = self.created_before.map_or(LAST, |before| {
            let before = before.saturating_add(CLOCK_SLACK).unwrap_or(Timestamp::MAX);
            first_id_at(before.as_millisecond())
        });
        (low, high)
    }

    pub(crate) fn scope(&self) -> Scope {
        Scope::new(
            1,
            &[
                self.owner.clone(),
                self.status.map(|status| status.as_str().to_owned()),
                self.to.as_ref().map(|to| to.as_str().to_owned()),
                self.created_after.map(|at| at.to_string()),
                self.created_before.map(|at| at.to_string()),
            ],
        )
    }
}

impl InboundFilter {
    pub(crate) fn fits(&self, fax: &InboundFax) -> bool {
        self.owner.as_ref().is_none_or(|owner| fax.owner == *owner)
            && self
                .visible_to
                .as_ref()
                .is_none_or(|owner| fax.owner.is_empty() || fax.owner == *owner)
            && self.to.as_ref().is_none_or(|to| fax.to.as_ref() == Some(to))
            && self
                .from
                .as_ref()
                .is_none_or(|from| fax.from.as_ref() == Some(from))
            && self.status.is_none_or(|status| fax.status == status)
            && self.received_after.is_none_or(|after| fax.received_at > after)
    }

    /// The ids that can be on the list: a fax is here after the provider received it, give or take its clock.
    pub(crate) fn bounds(&self) -> ([u8; 16], [u8; 16]) {
        let low = self.received_after.map_or(FIRST, |after| {
            let after = after.saturating_sub(CLOCK_SLACK).unwrap_or(Timestamp::MIN);
            first_id_at(after.as_millisecond())
        });
        (low, LAST)
    }

    pub(crate) fn scope(&self) -> Scope {
        Scope::new(
            2,
            &[
                self.owner.clone(),
                self.visible_to.clone(),
                self.to.clone(),
                self.from.clone(),
                self.status.map(|status| format!("{status:?}")),
                self.received_after.map(|at| at.to_string()),
            ],
        )
    }
}

/// The first id that can have been made at `millis`.
pub(crate) fn first_id_at(millis: i64) -> [u8; 16] {
    let Ok(millis) = u64::try_from(millis) else {
        return FIRST;
    };
    let millis = millis.min((1 << 48) - 1);
    (u128::from(millis) << 80).to_be_bytes()
}
