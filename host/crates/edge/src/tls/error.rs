//! Why there is no certificate to serve.

use std::path::PathBuf;

/// Why there is no certificate to serve.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file can't be read.
    #[error("cannot read {}: {source}; check tls.cert_file and tls.key_file and who may read them", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// A file can't be written.
    #[error("cannot write {}: {source}; check that data_dir is writable", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// Not a PEM certificate.
    #[error("{} holds no usable certificate ({problem}); tls.cert_file is a PEM chain, the server's own certificate first", path.display())]
    Certificate {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// Not a PEM key.
    #[error("{} holds no usable private key ({problem}); tls.key_file is an unencrypted PEM key (PKCS#8, PKCS#1 or SEC1)", path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// Certificate and key belong to different pairs.
    #[error("the key in {} does not belong to the certificate in {}; give the two files of one pair", key.display(), cert.display())]
    Mismatch {
        /// The certificate's file.
        cert: PathBuf,
        /// The key's file.
        key: PathBuf,
    },
    /// The root of a private authority can't be used.
    #[error("{} holds no usable certificate of an authority ({problem}); tls.acme.ca_file is a PEM file", path.display())]
    AuthorityFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The way to the authority can't be set up.
    #[error("cannot talk to a certificate authority: {0}")]
    Authority(String),
    /// A self-signed certificate can't be made.
    #[error("cannot make a self-signed certificate: {0}")]
    SelfSign(String),
    /// The library refuses the settings.
    #[error("cannot set up TLS: {0}")]
    Setup(#[from] rustls::Error),
}
