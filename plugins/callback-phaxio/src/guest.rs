//! The exports of the component: world `callback-policy-plugin` of `faxgate:policy`.

mod bindings {
    #![allow(
        missing_docs,
        unreachable_pub,
        clippy::undocumented_unsafe_blocks,
        reason = "generated code"
    )]
    wit_bindgen::generate!({ path: "../../wit", world: "callback-policy-plugin" });
}

use crate::delivery::{Delivery, DeliveryKind, FilePart, MacAlgorithm, MacError, Pair, Segment};
use crate::event::{Event, ReceivedFax, StatusUpdate};
use crate::policy::{self, Verdict};
use bindings::exports::faxgate::policy::{callback_policy as wit, plugin};
use bindings::faxgate::policy::webhook;
use faxgate_protocol::status::SentStatus;

struct Component;

bindings::export!(Component with_types_in bindings);

impl plugin::Guest for Component {
    fn describe() -> plugin::About {
        plugin::About {
            name: env!("CARGO_PKG_NAME").to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            description: env!("CARGO_PKG_DESCRIPTION").to_owned(),
            attributes: Vec::new(),
        }
    }

    /// There is nothing to set: the secrets are the gateway's.
    fn check_settings() -> Result<(), String> {
        Ok(())
    }
}

impl wit::Guest for Component {
    fn evaluate(delivery: &wit::Delivery) -> wit::Verdict {
        match policy::evaluate(delivery) {
            Verdict::Accept(event) => wit::Verdict::Accept(vec![wit_event(event)]),
            Verdict::Ignore(reason) => wit::Verdict::Ignore(reason.to_owned()),
            Verdict::Reject(reason) => wit::Verdict::Reject(reason.to_owned()),
        }
    }
}

impl Delivery for webhook::Delivery {
    fn kind(&self) -> DeliveryKind {
        match self.kind() {
            webhook::DeliveryKind::Status => DeliveryKind::Status,
            webhook::DeliveryKind::Inbound => DeliveryKind::Inbound,
        }
    }

    fn public_url(&self) -> String {
        self.public_url()
    }

    fn headers(&self) -> Vec<Pair> {
        self.headers()
    }

    fn query(&self) -> Vec<Pair> {
        self.query()
    }

    fn fields(&self) -> Vec<Pair> {
        self.fields()
    }

    fn files(&self) -> Vec<FilePart> {
        let part = |file: webhook::FilePart| FilePart {
            name: file.name,
            size: file.size,
            sha1: file.sha1,
        };
        self.files().into_iter().map(part).collect()
    }

    fn body(&self, max: u32) -> Vec<u8> {
        self.body(max)
    }

    fn proof_required(&self) -> bool {
        self.proof_required()
    }

    fn vouched(&self) -> Option<String> {
        self.vouched()
    }

    fn verify_mac(
        &self,
        secret: &str,
        algorithm: MacAlgorithm,
        message: &[Segment],
        signature: &[u8],
    ) -> Result<bool, MacError> {
        let algorithm = match algorithm {
            MacAlgorithm::HmacSha1 => webhook::MacAlgorithm::HmacSha1,
            MacAlgorithm::HmacSha256 => webhook::MacAlgorithm::HmacSha256,
        };
        let segment = |segment: &Segment| match segment {
            Segment::Text(text) => webhook::Segment::Text(text.clone()),
            Segment::Body => webhook::Segment::Body,
        };
        let message: Vec<webhook::Segment> = message.iter().map(segment).collect();
        self.verify_mac(secret, algorithm, &message, signature)
            .map_err(|error| match error {
                webhook::MacError::NotGranted => MacError::NotGranted,
                webhook::MacError::NotConfigured => MacError::NotConfigured,
                webhook::MacError::TooMany => MacError::TooMany,
            })
    }
}

fn wit_event(event: Event) -> wit::Event {
    match event {
        Event::Status(update) => wit::Event::Status(wit_status_update(update)),
        Event::Received(fax) => wit::Event::Received(wit_received_fax(fax)),
    }
}

fn wit_status_update(update: StatusUpdate) -> wit::StatusUpdate {
    wit::StatusUpdate {
        provider_id: update.provider_id,
        job_id: update.job_id,
        status: match update.status {
            SentStatus::Queued => wit::FaxStatus::Queued,
            SentStatus::InProgress => wit::FaxStatus::InProgress,
            SentStatus::Delivered => wit::FaxStatus::Delivered,
            SentStatus::PartlyDelivered => wit::FaxStatus::PartlyDelivered,
            SentStatus::Failed => wit::FaxStatus::Failed,
            SentStatus::Unknown => wit::FaxStatus::Unknown,
        },
        provider_status: update.provider_status,
        in_flight: update.in_flight,
        pages: update.pages,
        cost_cents: update.cost_cents,
        error_type: update.error.error_type,
        error_id: update.error.id,
        error_message: update.error.message,
        completed_at: update.completed_at,
        attributes: update.attributes,
    }
}

fn wit_received_fax(fax: ReceivedFax) -> wit::ReceivedFax {
    wit::ReceivedFax {
        provider_id: fax.provider_id,
        sender: fax.sender,
        called: fax.called,
        success: fax.success,
        pages: fax.pages,
        received_at: fax.received_at,
        document: fax.document,
        error_type: fax.error.error_type,
        error_id: fax.error.id,
        error_message: fax.error.message,
        is_test: fax.is_test,
        attributes: fax.attributes,
    }
}
