//! The exports of the component.

mod bindings {
    #![allow(missing_docs, reason = "generated code")]
    wit_bindgen::generate!({ path: "../../../wit", world: "number-normalizer-plugin" });
}

use crate::{Answer, Plan};
use bindings::exports::faxgate::policy::number_normalizer::{Decision, Dialled, Failure, FailureKind};
use bindings::exports::faxgate::policy::{number_normalizer, plugin};
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
        Plan::read(host::setting).map(drop)
    }
}

impl number_normalizer::Guest for Component {
    fn normalize(dialled: Dialled) -> Result<Decision, Failure> {
        let refused = |message: String| Failure {
            kind: FailureKind::Refused,
            message,
        };
        let plan = Plan::read(host::setting).map_err(refused)?;
        match plan.evaluate(&dialled.raw) {
            Answer::Rewrite(number) => Ok(Decision::Rewrite(number)),
            Answer::Blocked => Err(refused(
                "Numbers of this kind may not be faxed from here.".to_owned(),
            )),
            Answer::Pass => Ok(Decision::Pass),
        }
    }
}
