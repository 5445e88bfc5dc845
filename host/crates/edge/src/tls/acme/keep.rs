//! What is kept of an authority: `acme/NAME/account.json` and `acme/NAME/certificate.pem` in the data folder, for its
//! owner only. NAME stands for the directory's address.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use instant_acme::AccountCredentials;
use rustls::crypto::CryptoProvider;
use rustls::sign::CertifiedKey;
use sha2::{Digest as _, Sha256};

use super::super::private::{make_folder, write_private};
use super::super::{TlsError, files};

/// A chain and its key, both PEM.
pub(super) struct Issued {
    pub(super) chain: String,
    pub(super) key: zeroize::Zeroizing<String>,
}

/// The folder of one authority.
#[derive(Debug)]
pub(super) struct Keep(PathBuf);

impl Keep {
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
                |error| tracing::warn!(%error, "the kept ACME account can't be read, making a new one"),
            )
            .ok()
    }

    pub(super) fn keep_account(&self, account: &AccountCredentials) -> Result<(), TlsError> {
        let text = serde_json::to_string(account).map_err(|error| TlsError::Write {
            path: self.0.join("account.json"),
            source: error.into(),
        })?;
        self.write("account.json", &zeroize::Zeroizing::new(text))
    }

    pub(super) fn forget_account(&self) {
        // What can't be removed is overwritten by the next account.
        let _ = std::fs::remove_file(self.0.join("account.json"));
    }

    /// The chain and its key, in one file so that they can't be of two orders.
    pub(super) fn certificate(&self, provider: &Arc<CryptoProvider>) -> Result<CertifiedKey, TlsError> {
        let file = self.0.join("certificate.pem");
        files::load(&file, &file, provider)
    }

    /// Keeps a chain and its key, once they are known to fit each other.
    pub(super) fn keep_certificate(
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
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::super::super::{provider, self_signed};
    use super::*;

    fn issued(names: &[&str]) -> Issued {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let made = self_signed(&names).expect("certificate");
        Issued {
            chain: made.cert_pem,
            key: zeroize::Zeroizing::new(made.key_pem.reveal().to_owned()),
        }
    }

    #[test]
    fn certificates_are_private_and_of_one_authority() {
        let folder = tempfile::tempdir().expect("folder");
        let keep = |directory| Keep::new(folder.path().join("acme"), directory);
        let one = keep("https://one.example/directory");
        let made = issued(&["fax.example.org"]);
        one.keep_certificate(&made, &provider()).expect("kept");
        assert_eq!(one.certificate(&provider()).expect("certificate").cert.len(), 1);
        let mode = std::fs::metadata(one.0.join("certificate.pem"))
            .expect("file")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(
            keep("https://two.example/directory")
                .certificate(&provider())
                .is_err()
        );
    }

    #[test]
    fn a_key_of_another_certificate_is_not_kept() {
        let folder = tempfile::tempdir().expect("folder");
        let keep = Keep::new(folder.path().join("acme"), "x");
        let mixed = Issued {
            chain: issued(&["fax.example.org"]).chain,
            key: issued(&["fax.example.org"]).key,
        };
        assert!(matches!(
            keep.keep_certificate(&mixed, &provider()),
            Err(TlsError::Mismatch { .. })
        ));
        assert!(keep.certificate(&provider()).is_err());
    }
}
