//! Reloading: configuration, certificates and plugins, without a restart.

use std::sync::Arc;

use super::Service;
use faxgate_config::{Config, reload};
use faxgate_domain::code::Code;
use faxgate_service::Actor;
use faxgate_telemetry::logs;

/// What a reload did.
#[derive(Debug, Default)]
pub struct Reloaded {
    /// Configuration keys, and other things, that changed and are in effect.
    pub changed: Vec<String>,
    /// Keys that changed and take effect after a restart.
    pub restart: Vec<String>,
    /// What was refused, a sentence each.
    pub refused: Vec<String>,
}

impl Service {
    /// Takes `asked` into effect as far as possible without a restart, and reloads certificates and plugins.
    pub async fn reload(&self, asked: Config) -> Reloaded {
        let old = self.parts.config.load_full();
        let (fresh, changes) = reload::merge(&old, asked);
        let mut report = Reloaded {
            changed: changes.effective,
            restart: changes.restart,
            refused: Vec::new(),
        };
        if fresh.phaxio.api_key != old.phaxio.api_key || fresh.phaxio.api_secret != old.phaxio.api_secret {
            self.parts
                .phaxio
                .replace_credentials(fresh.phaxio.api_key.clone(), fresh.phaxio.api_secret.clone());
        }
        if fresh.log_level != old.log_level
            && let Err(error) = logs::set_level(&fresh.log_level)
        {
            report.refused.push(format!("log.level: {error}"));
        }
        self.parts.config.store(Arc::new(fresh));
        // Whatever held the queue may have been mended.
        self.dispatcher.credentials_changed();
        self.reload_certificate(&mut report);
        match self.app.reload_plugins(&Actor::operator()).await {
            Ok(done) if done.changed_anything() => report.changed.push("plugins".to_owned()),
            Ok(_) => {}
            Err(error) if error.code == Code::Invalid => report.refused.push(format!("plugins: {error}")),
            Err(error) => report.refused.push(format!("plugins: {error}; see the log")),
        }
        let now = self.app.clock().now();
        let entry = Actor::operator()
            .did(now, "config.reload", "")
            .fact("changed", report.changed.join(", "))
            .fact("restart", report.restart.join(", "));
        self.parts.store.record_later(entry);
        tracing::info!(
            changed = ?report.changed,
            needs_restart = ?report.restart,
            refused = ?report.refused,
            "configuration loaded anew"
        );
        report
    }

    fn reload_certificate(&self, report: &mut Reloaded) {
        let Some(tls) = &self.tls else { return };
        let faxgate_edge::tls::Reloaded { replaced, errors } = tls.reload();
        if !replaced.is_empty() {
            report.changed.push("certificate".to_owned());
        }
        for error in errors {
            report
                .refused
                .push(format!("certificate: {error}; the last good one stays"));
        }
        tls.retry_now();
    }
}
