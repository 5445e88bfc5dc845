//! Whether the service can do its work.

use serde::Serialize;

use crate::App;

/// One named check.
#[derive(Debug, Clone, Serialize)]
pub struct Check {
    /// What is checked.
    pub name: &'static str,
    /// Whether it works.
    pub ok: bool,
    /// Which ones of several don't: names that are no secret.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
    /// Why not, for the operator.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

impl App {
    /// Every check by name: database, storage, plugins, and what the parts reported.
    pub async fn readiness(&self) -> Vec<Check> {
        let store = self.parts.store.check().await.map_err(|error| error.to_string());
        let storage = self
            .parts
            .artifacts
            .check()
            .await
            .map_err(|error| error.to_string());
        let problems = self.parts.plugins.problems();
        let reasons: Vec<String> = problems
            .iter()
            .map(|problem| format!("{}: {}", problem.file, problem.reason))
            .collect();
        let plugins = if reasons.is_empty() {
            Ok(())
        } else {
            Err(reasons.join("; "))
        };
        let mut checks = vec![
            Check::new("database", store),
            Check::new("storage", storage),
            Check {
                names: problems.into_iter().map(|problem| problem.plugin).collect(),
                ..Check::new("plugins", plugins)
            },
        ];
        checks.extend(
            self.parts
                .board
                .all()
                .into_iter()
                .map(|(name, state)| Check::new(name, state)),
        );
        checks
    }

    /// Jobs by state, for the metrics and the operator.
    ///
    /// # Errors
    /// When the database can't be read.
    pub async fn depth(&self) -> Result<Vec<(&'static str, u64)>, crate::Error> {
        Ok(self
            .parts
            .store
            .depth()
            .await?
            .into_iter()
            .map(|(status, count)| (status.as_str(), count))
            .collect())
    }
}

impl Check {
    fn new(name: &'static str, state: Result<(), String>) -> Self {
        Self {
            name,
            ok: state.is_ok(),
            names: Vec::new(),
            detail: state.err(),
        }
    }
}
