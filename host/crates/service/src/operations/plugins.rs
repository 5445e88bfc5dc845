//! Policies: what is loaded, and loading anew.

use crate::{Actor, App, Error};
use faxgate_domain::code::Code;
use faxgate_policy::{Grants, PluginInfo, PluginProblem, ReloadReport};

impl App {
    /// What is loaded.
    #[must_use]
    pub fn plugins(&self) -> Vec<PluginInfo> {
        self.parts.plugins.list()
    }

    /// What could not be loaded, with the remedy.
    #[must_use]
    pub fn plugin_problems(&self) -> Vec<PluginProblem> {
        self.parts.plugins.problems()
    }

    /// Loads the drop-in folder anew. The old set serves until the new one is complete, and goes on serving
    /// when it can't be; a file that can't be loaded leaves its last good version in place.
    ///
    /// # Errors
    /// [`Code::Invalid`] with the reason, also when only one file of several could not be loaded.
    pub async fn reload_plugins(&self, actor: &Actor) -> Result<ReloadReport, Error> {
        let config = self.config();
        let grants = Grants {
            callback_token: config.phaxio.callback_token.clone(),
            api_secret: config.phaxio.api_secret.clone(),
        };
        let report = self.parts.plugins.reload(&config.plugins, grants).await;
        let entry = actor.did(self.parts.clock.now(), "plugins.reload", "");
        let entry = if report.is_ok() {
            entry
        } else {
            entry.outcome("refused")
        };
        self.parts.store.record(entry).await?;
        let report = report.map_err(|error| Error::new(Code::Invalid, error.to_string()))?;
        match report.problems.as_slice() {
            [] => Ok(report),
            problems => {
                let reasons: Vec<_> = problems
                    .iter()
                    .map(|problem| format!("{}: {}", problem.file, problem.reason))
                    .collect();
                Err(Error::new(
                    Code::Invalid,
                    format!("not everything was loaded: {}", reasons.join("; ")),
                ))
            }
        }
    }
}
