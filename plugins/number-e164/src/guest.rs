//! The exports of the component: world `number-normalizer-plugin` of `faxgate:policy`.

mod bindings {
    #![allow(
        missing_docs,
        unreachable_pub,
        clippy::undocumented_unsafe_blocks,
        reason = "generated code"
    )]
    wit_bindgen::generate!({ path: "../../wit", world: "number-normalizer-plugin" });
}

use crate::normalize::{self, FailureKind, Kind};
use bindings::exports::faxgate::policy::{number_normalizer as wit, plugin};

struct Component;

bindings::export!(Component with_types_in bindings);

/// Called once when the plugin is built (`snapshot` in `Cargo.toml`): numbering plans are read and their patterns
/// compiled at first use, and every call would be the first.
#[unsafe(export_name = "prepare")]
extern "C" fn prepare() {
    normalize::prepare();
}

impl plugin::Guest for Component {
    fn describe() -> plugin::About {
        plugin::About {
            name: env!("CARGO_PKG_NAME").to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            description: env!("CARGO_PKG_DESCRIPTION").to_owned(),
            attributes: Vec::new(),
        }
    }

    /// There is nothing to set: region and strictness come with every call.
    fn check_settings() -> Result<(), String> {
        Ok(())
    }
}

impl wit::Guest for Component {
    fn normalize(dialled: wit::Dialled) -> Result<wit::Decision, wit::Failure> {
        let request = normalize::Dialled {
            raw: &dialled.raw,
            default_region: &dialled.default_region,
            strict: dialled.strict,
        };
        match normalize::normalize(request) {
            Ok(number) => Ok(wit::Decision::Dial(wit::Number {
                e164: number.e164,
                region: number.region,
                kind: kind(number.kind),
                valid: number.valid,
                attributes: Vec::new(),
            })),
            Err(failure) => Err(wit::Failure {
                kind: failure_kind(failure.kind),
                message: failure.message.to_owned(),
            }),
        }
    }
}

fn kind(kind: Kind) -> wit::Kind {
    match kind {
        Kind::FixedLine => wit::Kind::FixedLine,
        Kind::Mobile => wit::Kind::Mobile,
        Kind::FixedLineOrMobile => wit::Kind::FixedLineOrMobile,
        Kind::TollFree => wit::Kind::TollFree,
        Kind::PremiumRate => wit::Kind::PremiumRate,
        Kind::SharedCost => wit::Kind::SharedCost,
        Kind::Voip => wit::Kind::Voip,
        Kind::Personal => wit::Kind::Personal,
        Kind::Pager => wit::Kind::Pager,
        Kind::Uan => wit::Kind::Uan,
        Kind::Voicemail => wit::Kind::Voicemail,
        Kind::Unknown => wit::Kind::Unknown,
    }
}

fn failure_kind(kind: FailureKind) -> wit::FailureKind {
    match kind {
        FailureKind::NotANumber => wit::FailureKind::NotANumber,
        FailureKind::UnknownCountry => wit::FailureKind::UnknownCountry,
        FailureKind::TooShort => wit::FailureKind::TooShort,
        FailureKind::TooLong => wit::FailureKind::TooLong,
        FailureKind::Extension => wit::FailureKind::Extension,
        FailureKind::NotAssigned => wit::FailureKind::NotAssigned,
    }
}
