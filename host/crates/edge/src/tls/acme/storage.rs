//! The stored account and certificate of an authority: `acme/NAME/account.json` and `acme/NAME/certificate.pem` in the data folder, for its
//! owner only. NAME stands for the directory's address.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use instant_acme::AccountCredentials;
use rustls::crypto::CryptoProvider;
use rustls::sign::CertifiedKey;
use sha2::{Digest as _, Sha256};

use crate::tls::error::TlsError;
use crate::tls::files;
use crate::tls::private_files::{make_folder, write_private};

/// A chain and its key, both PEM.
pub(super) struct Issued {
    pub(super) chain: String,
    pub(super) key: zeroize::Zeroizing<String>,
}

/// The folder of one authority.
#[derive(Debug)]
pub(super) struct AcmeStorage(PathBuf);

impl AcmeStorage {
    /// Below `folder`, for the authority with this directory.
    pub(super) fn new(folder: PathBuf, directory: &str) -> Self {
        let mut name = hex::encode(Sha256::digest(directory));
        name.truncate(16);
        Self(folder.join(name))
    }

    /// The account; none when there is none that can be read.
    pub(super) fn account(&self) -> Option<AccountCredentials> {
        let text = std::fs::read(self.0.join("account.json")).ok()?;
        serde_json::from_slice(&zeroize::Zeroizing::new(text))
            .inspect_err(
                |error| tracing::warn!(%error, "the stored ACME account can't be read, making a new one"),
            )
            .ok()
    }

    pub(super) fn store_account(&self, account: &AccountCredentials) -> Result<(), TlsError> {
        let text = serde_json::to_string(account).map_err(|error| TlsError::Write {
            path: self.0.join("account.json"),
            source: error.into(),
        })?;
        self.write("account.json", &zeroize::Zeroizing::new(text))
    }

    pub(super) fn remove_account(&self) {
        // A file that can't be removed is overwritten with the next account.
        let _ = std::fs::remove_file(self.0.join("account.json"));
    }

    /// The chain and its key, in one file so that they can't be of two orders.
    pub(super) fn certificate(&self, provider: &Arc<CryptoProvider>) -> Result<CertifiedKey, TlsError> {
        let file = self.0.join("certificate.pem");
        files::load(&file, &file, provider)
    }

    /// Stores a chain and its key after a check that they belong together.
    pub(super) fn store_certificate(
        &self,
        issued: &Issued,
        provider: &Arc<CryptoProvider>,
    ) -> Result<(), TlsError> {
        let text = zeroize::Zeroizing::new(format!("{}\n{}", issued.key.trim_end(), issued.chain));
        files::parse(text.as_bytes(), &self.0, text.as_bytes(), &self.0, provider)?;
        self.write("certificate.pem", &text)
    }

    fn write(&self, name: &str, text: &str) -> Result<(), TlsError> {
        make_folder(self.0.parent().unwrap_or(Path::new(".")))?;
        make_folder(&self.0)?;
        write_private(&self.0.join(name), text)
    }
}

#[cfg(test)]
mod tests;
