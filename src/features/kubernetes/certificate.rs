//! When the client certificate of a user ends (X.509 `notAfter`). Not for whether anybody trusts it: that is the server's
//! to know, and TLS' to tell.

use std::path::Path;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use kube::config::AuthInfo;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use yasna::models::{GeneralizedTime, UTCTime};
use yasna::tags::TAG_UTCTIME;
use yasna::{ASN1Error, ASN1ErrorKind, ASN1Result, BERReader, Tag};

use super::error::KUBECONFIG;
use super::files;
use crate::core::report::Report;

/// Nobody has to know earlier that a certificate ends.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// A file that is longer holds no certificate, no key, no token (bytes).
pub const LONGEST: u64 = 1024 * 1024;

/// How long a certificate counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// `notBefore`.
    pub begins: Timestamp,
    /// `notAfter`.
    pub ends: Timestamp,
}

impl Validity {
    /// So long before its end somebody should have come by with the next one: a tenth of its time, a day at most. A
    /// person has to renew it, or a program that rewrites the kubeconfig.
    pub fn ahead(&self) -> Duration {
        let lasts = Duration::try_from(self.ends.duration_since(self.begins)).unwrap_or_default();
        (lasts / 10).min(DAY)
    }

    /// Of the first certificate in a PEM text, which is the user's own; none: it is unreadable, which the client tells
    /// when it uses it.
    pub fn of_pem(pem: &[u8]) -> Option<Validity> {
        let certificate = CertificateDer::pem_slice_iter(pem).next()?.ok()?;
        let (begins, ends) = yasna::parse_der(&certificate, |reader| reader.read_sequence(certificate_body)).ok()?;
        Some(Validity { begins, ends })
    }
}

/// The certificate of a user (PEM), once [`load`]ed. None: there is none, or it cannot be read, which the client tells.
pub fn of(auth: &AuthInfo) -> Option<Vec<u8>> {
    STANDARD.decode(auth.client_certificate_data.as_ref()?.trim()).ok()
}

/// Reads the files of a certificate and its key, where their data is not there, and puts it in its place: the client
/// would read them once more, whatever they are. What cannot be read is left for it to tell.
pub async fn load(auth: &mut AuthInfo) -> Result<(), Report> {
    if let (None, Some(file)) = (&auth.client_certificate_data, &auth.client_certificate) {
        auth.client_certificate_data = content(file).await?;
    }
    if let (None, Some(file)) = (&auth.client_key_data, &auth.client_key) {
        auth.client_key_data = content(file).await?.map(Into::into);
    }
    Ok(())
}

async fn content(file: &str) -> Result<Option<String>, Report> {
    match files::text(Path::new(file), LONGEST).await {
        Ok(Some(text)) => Ok(Some(STANDARD.encode(text))),
        Ok(None) => Err(Report::failed(
            KUBECONFIG,
            format!(
                "{file} is larger than {} MiB, and no client certificate nor a key is",
                LONGEST >> 20
            ),
        )),
        Err(_) => Ok(None),
    }
}

/// RFC 5280, 4.1: what is certified, the algorithm, the signature.
fn certificate_body(certificate: &mut yasna::BERReaderSeq) -> ASN1Result<(Timestamp, Timestamp)> {
    let validity = certificate.next().read_sequence(|body| {
        let version = |reader: BERReader| reader.read_tagged(Tag::context(0), |number| number.read_der());
        body.read_optional(version)?;
        // Serial number, algorithm, issuer.
        for _ in 0..3 {
            body.next().read_der()?;
        }
        let validity = body
            .next()
            .read_sequence(|times| Ok((time(times.next())?, time(times.next())?)))?;
        rest(body)?;
        Ok(validity)
    })?;
    rest(certificate)?;
    Ok(validity)
}

/// What follows in a sequence, which is of no interest here.
fn rest(sequence: &mut yasna::BERReaderSeq) -> ASN1Result<()> {
    while sequence.read_optional(|reader| reader.read_der())?.is_some() {}
    Ok(())
}

fn time(reader: BERReader) -> ASN1Result<Timestamp> {
    let seconds = if reader.lookahead_tag()? == TAG_UTCTIME {
        UTCTime::datetime(&reader.read_utctime()?).unix_timestamp()
    } else {
        GeneralizedTime::datetime(&reader.read_generalized_time()?).unix_timestamp()
    };
    Timestamp::from_second(seconds).map_err(|_| ASN1Error::new(ASN1ErrorKind::Invalid))
}

#[cfg(test)]
pub mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;
    use rcgen::{CertificateParams, KeyPair};

    use super::*;

    /// A certificate that signs itself, and its key, in PEM.
    pub fn signed(begins: Timestamp, ends: Timestamp) -> (String, String) {
        let mut params = CertificateParams::new(vec!["mia".to_owned()]).unwrap();
        params.not_before = std::time::SystemTime::from(begins).into();
        params.not_after = std::time::SystemTime::from(ends).into();
        let key = KeyPair::generate().unwrap();
        (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_certificate_tells_how_long_it_counts() {
        // In the one way of writing a year and in the other.
        for (begins, ends) in [
            ("2020-01-01T00:00:00Z", "2021-02-03T04:05:06Z"),
            ("2049-12-31T23:59:59Z", "2050-01-01T00:00:00Z"),
            ("1975-01-01T00:00:00Z", "4096-01-01T00:00:00Z"),
        ] {
            let (pem, _) = signed(at(begins), at(ends));
            let validity = Validity {
                begins: at(begins),
                ends: at(ends),
            };
            assert_eq!(Validity::of_pem(pem.as_bytes()), Some(validity));
            // A key before it, and others behind.
            let (other, key) = signed(at("2000-01-01T00:00:00Z"), at("2001-01-01T00:00:00Z"));
            let whole = format!("{key}\n{pem}\n{other}");
            assert_eq!(Validity::of_pem(whole.as_bytes()), Some(validity));
        }
    }

    #[test]
    fn what_is_none_tells_nothing() {
        let (pem, key) = signed(at("2020-01-01T00:00:00Z"), at("2030-01-01T00:00:00Z"));
        let half: String = pem.chars().take(pem.len() / 2).collect();
        let other = "-----BEGIN CERTIFICATE-----\nbm90aGluZw==\n-----END CERTIFICATE-----\n";
        for text in ["", "nothing", &half, &key, other] {
            assert_eq!(Validity::of_pem(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn who_lasts_long_is_told_of_earlier() {
        let lasts = |hours: u64| {
            let begins = at("2020-01-01T00:00:00Z");
            Validity {
                begins,
                ends: begins + Duration::from_secs(3600 * hours),
            }
            .ahead()
        };
        assert_eq!(lasts(1), Duration::from_secs(360));
        assert_eq!(lasts(8760), DAY);
        let backwards = Validity {
            begins: at("2021-01-01T00:00:00Z"),
            ends: at("2020-01-01T00:00:00Z"),
        };
        assert_eq!(backwards.ahead(), Duration::ZERO);
    }

    #[tokio::test]
    async fn the_data_counts_before_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            std::fs::write(folder.path().join(name), text).unwrap();
            Some(folder.path().join(name).display().to_string())
        };
        let mut auth = AuthInfo {
            client_certificate: write("client.crt", "of the file"),
            client_key: write("client.key", "the key"),
            ..AuthInfo::default()
        };
        load(&mut auth).await.unwrap();
        assert_eq!(of(&auth).unwrap(), b"of the file");
        let told = serde_json::to_value(&auth).unwrap();
        let key = told["client-key-data"].as_str().unwrap();
        assert_eq!(STANDARD.decode(key).unwrap(), b"the key");
        auth.client_certificate_data = Some(STANDARD.encode("of the data"));
        load(&mut auth).await.unwrap();
        assert_eq!(of(&auth).unwrap(), b"of the data");
        auth.client_certificate_data = Some("no base64!".to_owned());
        assert_eq!(of(&auth), None);
        assert_eq!(of(&AuthInfo::default()), None);
    }

    #[tokio::test]
    async fn a_file_that_is_missing_is_the_client_s_to_tell_and_one_without_an_end_is_refused() {
        let of_file = async |file: &str| {
            let mut auth = AuthInfo {
                client_certificate: Some(file.to_owned()),
                ..AuthInfo::default()
            };
            load(&mut auth).await.map(|()| auth.client_certificate_data)
        };
        assert_eq!(of_file("/does/not/exist").await.unwrap(), None);
        let refused = of_file("/dev/zero").await.unwrap_err();
        assert!(
            refused.message.starts_with("/dev/zero is larger than 1 MiB"),
            "{refused}"
        );
    }

    proptest! {
        #[test]
        fn a_damaged_certificate_does_no_harm(at_byte in 0_usize..1000, to in any::<u8>(), cut in 0_usize..1000) {
            let (begins, ends) = (at("2020-01-01T00:00:00Z"), at("2030-01-01T00:00:00Z"));
            let (pem, _) = signed(begins, ends);
            let mut der = CertificateDer::from_pem_slice(pem.as_bytes()).unwrap().to_vec();
            let place = at_byte % der.len();
            der[place] = to;
            der.truncate(der.len().saturating_sub(cut % 40));
            let text = format!(
                "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
                STANDARD.encode(&der)
            );
            let _ = Validity::of_pem(text.as_bytes());
        }
    }
}
