//! Loading anew what can be loaded anew: certificates, plugins, provider credentials, limits.

use std::sync::Arc;

use super::Service;
use crate::app::Origin;
use crate::config::Config;
use crate::domain::code::Code;

/// What a reload did, a sentence each.
#[derive(Debug, Default)]
pub struct Reloaded {
    /// What is in force now.
    pub changed: Vec<String>,
    /// What was refused or needs a restart.
    pub refused: Vec<String>,
}

impl Service {
    /// Takes `fresh` into force as far as that goes without a restart, and loads certificates and plugins anew.
    pub async fn reload(&self, mut fresh: Config) -> Reloaded {
        let mut report = Reloaded::default();
        let old = self.config.load_full();
        keep_fixed(&old, &mut fresh, &mut report);
        if fresh.phaxio.api_key != old.phaxio.api_key || fresh.phaxio.api_secret != old.phaxio.api_secret {
            self.phaxio
                .replace_credentials(fresh.phaxio.api_key.clone(), fresh.phaxio.api_secret.clone());
            report.changed.push("provider credentials".to_owned());
        }
        self.config.store(Arc::new(fresh));
        // Whatever held the queue may have been mended.
        self.dispatcher.credentials_changed();
        self.reload_certificate(&mut report);
        match self.app.reload_plugins(&Origin::operator()).await {
            Ok(done) if done.changed_anything() => report.changed.push("plugins".to_owned()),
            Ok(_) => {}
            Err(error) if error.code == Code::Invalid => report.refused.push(format!("plugins: {error}")),
            Err(error) => report.refused.push(format!("plugins: {error}; see the log")),
        }
        let now = self.app.clock().now();
        let entry = Origin::operator().did(now, "config.reload", "");
        self.store.record_later(entry);
        tracing::info!(changed = ?report.changed, refused = ?report.refused, "configuration loaded anew");
        report
    }

    fn reload_certificate(&self, report: &mut Reloaded) {
        let Some(tls) = &self.tls else { return };
        let crate::tls::Reloaded { replaced, errors } = tls.reload();
        if !replaced.is_empty() {
            report.changed.push("certificate".to_owned());
        }
        for error in errors {
            report
                .refused
                .push(format!("certificate: {error}; the last good one stays"));
        }
        tls.hurry();
    }
}

/// Puts back what only a restart can change, and says so.
fn keep_fixed(old: &Config, fresh: &mut Config, report: &mut Reloaded) {
    let mut keep = |name: &str, differs: bool| {
        if differs {
            report.refused.push(format!("{name} changes with a restart"));
        }
    };
    // Secrets print as ***, so comparing the printed form neither shows nor misses anything but a secret.
    let differs = |a: &dyn std::fmt::Debug, b: &dyn std::fmt::Debug| format!("{a:?}") != format!("{b:?}");
    keep("data_dir", old.data_dir != fresh.data_dir);
    keep("disabled", old.disabled != fresh.disabled);
    keep("listen", differs(&old.listen, &fresh.listen));
    keep("tls", differs(&old.tls, &fresh.tls));
    keep("storage", differs(&old.storage, &fresh.storage));
    keep("phaxio.api_url", old.phaxio.api_url != fresh.phaxio.api_url);
    keep(
        "retention.artifact_ttl_days",
        old.retention.artifact_ttl != fresh.retention.artifact_ttl,
    );
    keep(
        "retention.destroy_at_end",
        old.retention.destroy_at_end != fresh.retention.destroy_at_end,
    );
    keep("log.format", old.log_format != fresh.log_format);
    fresh.data_dir.clone_from(&old.data_dir);
    fresh.disabled = old.disabled;
    fresh.listen = old.listen.clone();
    fresh.tls = old.tls.clone();
    fresh.storage = old.storage.clone();
    fresh.phaxio.api_url = old.phaxio.api_url.clone();
    fresh.retention.artifact_ttl = old.retention.artifact_ttl;
    fresh.retention.destroy_at_end = old.retention.destroy_at_end;
}
