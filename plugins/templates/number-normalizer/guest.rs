//! The exports of the component.

mod bindings {
    wit_bindgen::generate!({ path: "wit", world: "number-normalizer-plugin" });
}

use bindings::exports::faxgate::policy::number_normalizer::{Decision, Dialled, Failure};
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
        match host::setting("prefix") {
            Some(prefix) if !prefix.starts_with('+') => {
                Err("`prefix` has to start with +".to_owned())
            }
            _ => Ok(()),
        }
    }
}

impl number_normalizer::Guest for Component {
    fn normalize(dialled: Dialled) -> Result<Decision, Failure> {
        let rewritten =
            host::setting("prefix").and_then(|prefix| crate::rewrite(&dialled.raw, &prefix));
        Ok(rewritten.map_or(Decision::Pass, Decision::Rewrite))
    }
}
