//! The exports of the component.

mod bindings {
    #![allow(missing_docs, reason = "generated code")]
    wit_bindgen::generate!({ path: "../../../wit", world: "callback-policy-plugin" });
}

use bindings::exports::faxgate::policy::callback_policy::{Delivery, Verdict};
use bindings::exports::faxgate::policy::{callback_policy, plugin};
use bindings::faxgate::policy::host::{self, Level};
use bindings::faxgate::policy::webhook::{MacAlgorithm, MacError, Segment};

/// Name of the secret, and of the proof.
const SECRET: &str = "old-callback-token";

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

    fn check_settings() -> Result<(), String> {
        Ok(())
    }
}

impl callback_policy::Guest for Component {
    fn evaluate(delivery: &Delivery) -> Verdict {
        let headers = delivery.headers();
        let Some(code) = crate::claimed(&headers) else {
            return Verdict::Pass;
        };
        let files = delivery
            .files()
            .into_iter()
            .map(|file| (file.name, file.sha1))
            .collect();
        let Some(text) = crate::message(&delivery.public_url(), &headers, delivery.fields(), files) else {
            return Verdict::Pass;
        };
        match delivery.verify_mac(SECRET, MacAlgorithm::HmacSha1, &[Segment::Text(text)], &code) {
            Ok(true) => Verdict::Vouch(SECRET.to_owned()),
            Ok(false) | Err(MacError::TooMany) => Verdict::Pass,
            Err(MacError::NotGranted | MacError::NotConfigured) => {
                host::log(
                    Level::Warn,
                    "no secret `old-callback-token`: this policy does nothing",
                );
                Verdict::Pass
            }
        }
    }
}
