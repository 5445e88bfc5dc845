//! Whether `public_url` leads to this service, asked where it runs.

use std::time::Duration;

use crate::cli::output::outln;
use faxgate_config::Config;

/// An answer that takes longer does not count.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Asks `{public_url}/health` and warns when something else answers, or nothing.
pub(super) async fn check(config: &Config) {
    if let Err(reason) = leads_here(config).await {
        outln!(
            "warning: public_url (PUBLIC_API_URL): {} does not lead to this service, as far as can be seen from here \
             ({reason}); the provider fetches documents and delivers callbacks there",
            config.public_url
        );
    }
}

async fn leads_here(config: &Config) -> Result<(), String> {
    let client = reqwest::Client::builder()
        .timeout(TIMEOUT)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        // A certificate is checked elsewhere; a private authority is no sign of another service.
        .danger_accept_invalid_certs(true)
        .build()
        .map_err(|error| error.to_string())?;
    let answer = client
        .get(config.public("/health"))
        .send()
        .await
        .map_err(|error| format!("{:#}", anyhow::Error::new(error)))?;
    let status = answer.status();
    let body: serde_json::Value = answer.json().await.unwrap_or_default();
    if status.is_success() && body.get("status").is_some_and(|status| status == "ok") {
        return Ok(());
    }
    Err(format!("{status} from a server that is not faxgate"))
}
