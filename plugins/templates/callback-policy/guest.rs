//! The exports of the component.

mod bindings {
    wit_bindgen::generate!({ path: "wit", world: "callback-policy-plugin" });
}

use crate::Answer;
use bindings::exports::faxgate::policy::callback_policy::{Delivery, Verdict};
use bindings::exports::faxgate::policy::{callback_policy, plugin};
use bindings::faxgate::policy::host;

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
        let jobs = host::setting("jobs").unwrap_or_default();
        match crate::evaluate(&delivery.query(), &jobs) {
            Answer::Reject(reason) => Verdict::Reject(reason.to_owned()),
            Answer::Pass => Verdict::Pass,
        }
    }
}
