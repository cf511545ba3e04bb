//! Secret values at rest: encrypted with `age` to the operator's own key, and never kept in any other way.
//!
//! The key is an age identity: `COGDECK_IDENTITY` (the key itself, or the path of its file) or the file `identity.txt`
//! in the configuration folder, as `age-keygen` writes it, readable by its owner alone. A value is bound to its place:
//! moved to another variable it does not open.

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::PathBuf;
use std::str::FromStr;

use age::secrecy::ExposeSecret;
use age::x25519::Identity;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::core::report::Report;
use crate::core::text::Secret;

/// How a key begins.
const PREFIX: &str = "AGE-SECRET-KEY-1";
/// A key file, at most.
const LARGEST_FILE: u64 = 64 << 10;

/// Where the key is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Keyring {
    /// The key itself.
    Key(Secret),
    /// A file that holds it.
    File(PathBuf),
}

impl Keyring {
    /// `named` is what `COGDECK_IDENTITY` says; `standard` the file that counts otherwise.
    pub fn new(named: Option<&str>, standard: PathBuf) -> Keyring {
        match named {
            // A key may come with the comment lines of its file. Several lines are never a path, and what looks like a
            // key is none either: a message about a path would show it.
            Some(text) => match key_in(text) {
                Some(key) => Keyring::Key(Secret::new(key)),
                None if text.contains('\n') => Keyring::Key(Secret::new("")),
                None => Keyring::File(PathBuf::from(text)),
            },
            None => Keyring::File(standard),
        }
    }

    /// Encrypts a value for a place (any text that names it); the ciphertext is text.
    pub fn seal(&self, value: &Secret, place: &str) -> Result<String, Report> {
        let failed = || Report::failed("E-SECRET-003", "a value cannot be encrypted");
        let recipient = self.identity()?.to_public();
        let bound = serde_json::to_vec(&[place, value.reveal()]).map_err(|error| failed().because(&error))?;
        let sealed = age::encrypt(&recipient, &bound).map_err(|error| failed().because(&error))?;
        Ok(STANDARD.encode(sealed))
    }

    /// Decrypts what [`Keyring::seal`] made for this place.
    pub fn open(&self, sealed: &str, place: &str) -> Result<Secret, Report> {
        let identity = self.identity()?;
        let broken = || Report::failed("E-SECRET-004", "a stored secret cannot be read");
        let foreign = |why| {
            Report::failed(
                "E-SECRET-005",
                format!("a stored secret was encrypted for another {why}"),
            )
        };
        let bytes = STANDARD.decode(sealed).map_err(|error| broken().because(&error))?;
        let bound = age::decrypt(&identity, &bytes).map_err(|error| foreign("key").because(&error))?;
        // Not the parser's own words: they may quote what it read.
        let [known, value]: [String; 2] = serde_json::from_slice(&bound).map_err(|_| broken())?;
        if known == place {
            Ok(Secret::new(value))
        } else {
            Err(foreign("variable"))
        }
    }

    /// Makes a new key file and gives its path. Refused where one is, or where the key comes from the environment.
    pub fn generate(&self) -> Result<PathBuf, Report> {
        let Keyring::File(path) = self else {
            return Err(Report::refused("E-SECRET-006", "COGDECK_IDENTITY holds a key already"));
        };
        let failed = |error: std::io::Error| {
            Report::failed("E-SECRET-006", format!("cannot make the key file {}", path.display())).because(&error)
        };
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(failed)?;
        }
        let identity = Identity::generate();
        let text = format!(
            "# public key: {}\n{}\n",
            identity.to_public(),
            identity.to_string().expose_secret()
        );
        // `create_new`: a key that exists is never replaced, since what it encrypted would be lost.
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)
            .map_err(failed)?;
        file.write_all(text.as_bytes()).map_err(failed)?;
        Ok(path.clone())
    }

    fn identity(&self) -> Result<Identity, Report> {
        match self {
            Keyring::Key(key) => parsed(key.reveal(), "COGDECK_IDENTITY"),
            Keyring::File(path) => {
                let place = path.display().to_string();
                let text = match private(path) {
                    Ok(text) => text,
                    Err(error) if error.kind() == ErrorKind::NotFound => {
                        return Err(Report::refused(
                            "E-SECRET-001",
                            format!("there is no key to keep secrets with: {place} is missing"),
                        )
                        .hint("`cogdeck bundle keygen` makes one, or set COGDECK_IDENTITY to an age identity"));
                    }
                    Err(error) => {
                        return Err(Report::refused(
                            "E-SECRET-002",
                            format!("the key file {place} cannot be used: {error}"),
                        )
                        .hint(format!("chmod 600 {place}")));
                    }
                };
                parsed(&key_in(&text).unwrap_or_default(), &place)
            }
        }
    }
}

/// The line of a text that is a key, as it is written.
fn key_in(text: &str) -> Option<String> {
    let upper = |line: &str| line.trim().trim_matches('"').to_ascii_uppercase();
    text.lines().map(upper).find(|line| line.starts_with(PREFIX))
}

/// The text of a file that nobody else may read.
fn private(path: &PathBuf) -> std::io::Result<String> {
    let file = fs::File::open(path)?;
    let known = file.metadata()?;
    let wrong = |why: &str| Err(std::io::Error::new(ErrorKind::PermissionDenied, why.to_owned()));
    if !known.is_file() {
        return wrong("it is no file");
    }
    if known.mode() & 0o077 != 0 {
        return wrong("others than its owner may read or change it");
    }
    let mut text = String::new();
    file.take(LARGEST_FILE).read_to_string(&mut text)?;
    Ok(text)
}

fn parsed(key: &str, place: &str) -> Result<Identity, Report> {
    Identity::from_str(key).map_err(|_| Report::refused("E-SECRET-002", format!("{place} holds no age identity")))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    const PLACE: &str = "demo\nbase\nTOKEN";

    fn keyring() -> (tempfile::TempDir, Keyring) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cogdeck/identity.txt");
        (folder, Keyring::new(None, path))
    }

    #[test]
    fn b10_a_secret_is_kept_encrypted_and_comes_back() {
        let (_folder, keyring) = keyring();
        let secret = Secret::new("tok-123456");
        assert_eq!(keyring.seal(&secret, PLACE).unwrap_err().code, "E-SECRET-001");
        let path = keyring.generate().unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let sealed = keyring.seal(&secret, PLACE).unwrap();
        let raw = STANDARD.decode(&sealed).unwrap();
        assert!(raw.starts_with(b"age-encryption.org/v1"));
        assert!(!sealed.contains("tok-123456") && !String::from_utf8_lossy(&raw).contains("tok-123456"));
        assert_ne!(
            sealed,
            keyring.seal(&secret, PLACE).unwrap(),
            "each time under another key of its own"
        );
        assert_eq!(keyring.open(&sealed, PLACE).unwrap(), secret);
        assert_eq!(
            keyring.open(&sealed, "demo\nbase\nOTHER").unwrap_err().code,
            "E-SECRET-005"
        );
        assert_eq!(keyring.generate().unwrap_err().code, "E-SECRET-006");
        // The same key from the environment; another key opens nothing.
        let text = fs::read_to_string(&path).unwrap();
        let key = text.lines().find(|line| line.starts_with(PREFIX)).unwrap();
        assert_eq!(
            Keyring::new(Some(key), PathBuf::new()).open(&sealed, PLACE).unwrap(),
            secret
        );
        // As `age-keygen` prints it, comment lines and all; and nothing that holds a key is ever taken for a path.
        let whole = Keyring::new(Some(&text), PathBuf::new());
        assert_eq!(whole.open(&sealed, PLACE).unwrap(), secret);
        for wrong in [
            format!("{key}x"),
            format!("# a\n {key}x\n"),
            key.to_lowercase().replacen("key-1", "key-1b", 1),
        ] {
            let report = Keyring::new(Some(&wrong), PathBuf::new())
                .seal(&secret, PLACE)
                .unwrap_err();
            let said = format!("{report} {:?}", report.hint).to_uppercase();
            assert!(report.code == "E-SECRET-002" && !said.contains("AGE-SECRET"), "{said}");
        }
        assert_eq!(
            Keyring::new(Some("# a\n# b"), PathBuf::new()),
            Keyring::Key(Secret::new(""))
        );
        let other = Identity::generate().to_string();
        let other = Keyring::new(Some(other.expose_secret()), PathBuf::new());
        assert_eq!(other.open(&sealed, PLACE).unwrap_err().code, "E-SECRET-005");
        assert_eq!(keyring.open("no base64", PLACE).unwrap_err().code, "E-SECRET-004");
        assert!(!format!("{other:?}").contains(PREFIX));
    }

    #[test]
    fn b10_a_key_that_others_may_read_is_not_used() {
        let (_folder, keyring) = keyring();
        let path = keyring.generate().unwrap();
        for mode in [0o644, 0o640, 0o602] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let report = keyring.seal(&Secret::new("x"), PLACE).unwrap_err();
            assert_eq!(report.code, "E-SECRET-002");
            assert!(report.hint.unwrap().contains("chmod 600"));
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(&path, "no key\n").unwrap();
        assert_eq!(keyring.seal(&Secret::new("x"), PLACE).unwrap_err().code, "E-SECRET-002");
    }
}
