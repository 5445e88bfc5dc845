//! `[auth]`: keys.

use crate::base::secret::Secret;

/// `[auth]`
#[derive(Debug, Clone)]
pub struct AuthConfig {
    /// `bootstrap_key`: an admin key that is not in the database
    pub bootstrap_key: Option<Secret>,
    /// `require_api_key`, default true; false opens the routes that are not administrative, on loopback only
    pub require_api_key: bool,
}

impl Default for AuthConfig {
    fn default() -> Self {
        Self {
            bootstrap_key: None,
            require_api_key: true,
        }
    }
}
