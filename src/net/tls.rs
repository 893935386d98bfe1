//! TLS in and out, with rustls and the ring provider.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore, ServerConfig};

/// TLS cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A PEM file cannot be read.
    #[error("cannot read certificates from {path}: {reason}", path = path.display())]
    Pem {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// rustls refuses the settings.
    #[error("the TLS settings cannot be used")]
    Settings(#[from] rustls::Error),
}

/// Makes ring the provider of this process; further calls do nothing.
pub fn install_crypto_provider() {
    // An error only says that one is installed, and this is the only place that installs one.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// What we trust in servers: the system's certification authorities and those of a PEM file.
///
/// A machine without any is no error here: plain http on loopback needs none, and an https
/// connection then fails as not trusted.
///
/// # Errors
/// When the file cannot be read or holds no certificate.
pub fn client_config(ca_file: Option<&Path>) -> Result<ClientConfig, TlsError> {
    // Read once: a client per endpoint would parse some hundred certificates each.
    static SYSTEM: OnceLock<RootCertStore> = OnceLock::new();
    let load = || {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        roots
    };
    let mut roots = SYSTEM.get_or_init(load).clone();
    if let Some(path) = ca_file {
        for certificate in read_certificates(path)? {
            roots.add(certificate)?;
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

/// TLS for our own server: certificate chain and private key from PEM files.
///
/// # Errors
/// When a file cannot be read, or key and certificate do not belong together.
pub fn server_config(cert_file: &Path, key_file: &Path) -> Result<Arc<ServerConfig>, TlsError> {
    let chain = read_certificates(cert_file)?;
    let key = PrivateKeyDer::from_pem_file(key_file).map_err(|e| pem_error(key_file, &e))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder =
        ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let mut config = builder.with_no_client_auth().with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn read_certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let certificates = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|e| pem_error(path, &e))?;
    if certificates.is_empty() {
        let reason = "it holds no certificate in PEM form".to_owned();
        return Err(TlsError::Pem { path: path.to_owned(), reason });
    }
    Ok(certificates)
}

fn pem_error(path: &Path, error: &rustls::pki_types::pem::Error) -> TlsError {
    TlsError::Pem { path: path.to_owned(), reason: error.to_string() }
}
