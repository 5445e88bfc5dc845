//! `[auth]`: authentication.

use crate::read::reader::Reader;
use faxgate_base::secret::Secret;

/// `[auth]`
#[derive(Debug, Clone)]
pub struct AuthConfig {
    /// `bootstrap_key`: an admin key that is not in the database
    pub bootstrap_key: Option<Secret>,
    /// `require_api_key`; false opens the routes that are not administrative, on loopback only
    pub require_api_key: bool,
}

impl AuthConfig {
    pub(crate) fn read(from: &mut Reader<'_>) -> Self {
        Self {
            bootstrap_key: from.secret("auth.bootstrap_key"),
            require_api_key: from.flag("auth.require_api_key"),
        }
    }
}
