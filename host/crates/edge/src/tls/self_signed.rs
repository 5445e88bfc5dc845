//! The self-signed certificate of a first start.

use std::path::Path;
use std::sync::Arc;

use jiff::{Timestamp, ToSpan as _, Zoned};
use rcgen::{CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::ServerName;
use rustls::server::ParsedCertificate;
use rustls::sign::CertifiedKey;

use super::error::TlsError;
use super::private_files::{make_folder, write_private};
use super::{files, validity};

/// Days before its end at which a certificate of ours is made anew.
const RENEW_BEFORE_DAYS: i64 = 30;
/// Years for which it is valid: clients of today refuse much longer ones.
const VALID_YEARS: i64 = 2;

/// A certificate and its key, both PEM.
#[derive(Clone, Debug)]
pub struct SelfSigned {
    /// The certificate, to be trusted by whoever calls.
    pub cert_pem: String,
    /// The key.
    pub key_pem: faxgate_base::secret::Secret,
}

/// Makes a self-signed certificate (ECDSA P-256) for host names and addresses.
///
/// # Errors
/// When a name is not one a certificate can carry.
pub fn self_signed(names: &[String]) -> Result<SelfSigned, TlsError> {
    let refuse = |error: rcgen::Error| TlsError::SelfSign(error.to_string());
    let mut params = CertificateParams::new(names.to_vec()).map_err(refuse)?;
    params.distinguished_name = DistinguishedName::new();
    params
        .distinguished_name
        .push(DnType::CommonName, "faxgate self-signed");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let today = Zoned::now();
    let (year, month, date) = day(&today.saturating_sub(1.day()));
    params.not_before = rcgen::date_time_ymd(year, month, date);
    let (year, month, date) = day(&today.saturating_add(VALID_YEARS.years()));
    params.not_after = rcgen::date_time_ymd(year, month, date);
    let key = KeyPair::generate().map_err(refuse)?;
    let cert = params.self_signed(&key).map_err(refuse)?;
    Ok(SelfSigned {
        cert_pem: cert.pem(),
        key_pem: faxgate_base::secret::Secret::new(key.serialize_pem()),
    })
}

/// `host` and the names of the machine itself, each once.
pub(super) fn names_for(host: &str) -> Vec<String> {
    let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    let mut names = vec![host];
    for own in ["localhost", "127.0.0.1", "::1"] {
        if !names.iter().any(|name| name == own) {
            names.push(own.to_owned());
        }
    }
    names.retain(|name| ServerName::try_from(name.as_str()).is_ok());
    names
}

/// The certificate kept in `folder`; made anew when there is none, when it covers other names, or near its end.
pub(super) fn load_or_make(
    folder: &Path,
    names: &[String],
    provider: &Arc<CryptoProvider>,
) -> Result<CertifiedKey, TlsError> {
    let (cert, key) = (folder.join("self-signed.crt"), folder.join("self-signed.key"));
    if let Ok(kept) = files::load(&cert, &key, provider)
        && is_good_for(&kept, names)
    {
        return Ok(kept);
    }
    let made = self_signed(names)?;
    make_folder(folder)?;
    // The key first: a crash in between leaves a pair that doesn't fit and is made again.
    write_private(&key, made.key_pem.reveal())?;
    write_private(&cert, &made.cert_pem)?;
    files::load(&cert, &key, provider)
}

fn is_good_for(kept: &CertifiedKey, names: &[String]) -> bool {
    let renew_at = Timestamp::now().saturating_add((RENEW_BEFORE_DAYS * 24).hours());
    let lasts = validity::not_after(&kept.cert)
        .zip(renew_at.ok())
        .is_some_and(|(end, renew)| end > renew);
    lasts && covers(kept, names)
}

/// Whether a certificate is valid for every one of these names.
pub(super) fn covers(kept: &CertifiedKey, names: &[String]) -> bool {
    let Some(parsed) = kept
        .cert
        .first()
        .and_then(|cert| ParsedCertificate::try_from(cert).ok())
    else {
        return false;
    };
    // A certificate for `*.example.net` is asked about a name below it.
    let sample = |name: &String| name.replacen('*', "any", 1);
    names.iter().map(sample).all(|name| {
        ServerName::try_from(name)
            .is_ok_and(|name| rustls::client::verify_server_name(&parsed, &name).is_ok())
    })
}

/// Year, month and day as the maker of certificates wants them.
fn day(at: &Zoned) -> (i32, u8, u8) {
    // Every month has 28 days; a leap day has no anniversary.
    let part = |value: i8| u8::try_from(value).unwrap_or(1);
    (i32::from(at.year()), part(at.month()), part(at.day()).min(28))
}
