//! What lets the user of a kubeconfig in, as far as it is not written there: a token file, which others replace, and a
//! credential plugin (client.authentication.k8s.io), a program that prints a token or a certificate. A plugin runs beside
//! the async threads, with captured output and a deadline, and only for the kube context in use; one that must ask a
//! person gets the terminal, when that person asks for it.

use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use futures::pin_mut;
use jiff::Timestamp;
use kube::config::{AuthInfo, ExecConfig, ExecInteractiveMode};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use super::certificate::{self, Validity};
use super::error::{KUBECONFIG, LOGIN};
use super::files;
use crate::core::report::Report;
use crate::core::text::{SafeText, Secret};

/// A plugin that takes longer hangs: most ask a cloud's own service once.
const DEADLINE: Duration = Duration::from_secs(60);
/// How long a person may take to log in.
const PATIENCE: Duration = Duration::from_secs(15 * 60);
/// What a plugin prints is a small JSON object; more is not read (bytes).
const LONGEST: usize = 1024 * 1024;
/// Of its complaint the last bytes are kept.
const LONGEST_COMPLAINT: usize = 16 * 1024;
/// So long the rest of its complaint is waited for when it has ended.
const MOMENT: Duration = Duration::from_millis(100);
/// Lines of its complaint that are told.
const COMPLAINT: usize = 5;

/// A credential is renewed so long before it ends, so that nothing that begins until the next look fails (a watch lasts
/// 20 seconds); of one that lasts shortly, a quarter of its time.
pub const AHEAD: Duration = Duration::from_secs(60);
/// A token file is looked at again after this time: the kubelet replaces it when four fifths of its time are over.
pub const FILE: Duration = Duration::from_secs(60);

/// Who is there while a plugin runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asking {
    /// Nobody: feeds and verbs need a connection.
    Nobody,
    /// The operator, who has lent the terminal for it.
    Person,
}

/// Until when a credential lets somebody in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lease {
    /// When to ask for the next one; none: never.
    pub renew: Option<Timestamp>,
    /// When it ends; none: nobody said.
    pub ends: Option<Timestamp>,
}

impl Lease {
    /// Of what ends then.
    fn until(ends: Option<Timestamp>, now: Timestamp) -> Lease {
        let ahead = ends.map(|ends| {
            let lasts = Duration::try_from(ends.duration_since(now)).unwrap_or_default();
            ends - AHEAD.min(lasts / 4)
        });
        Lease { renew: ahead, ends }
    }

    /// Whether to ask for the next one.
    pub fn is_due(&self, now: Timestamp) -> bool {
        self.renew.is_some_and(|at| at <= now)
    }

    /// Whether it lets nobody in any more.
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.ends.is_some_and(|at| at <= now)
    }
}

/// What was put in its place.
#[derive(Clone, Debug, Default)]
pub struct Obtained {
    /// Until when it lets somebody in.
    pub lease: Lease,
    /// The credential itself; the same again needs no other connection.
    pub proof: Option<Secret>,
    /// It came from a plugin.
    pub plugin: bool,
    /// Of the client certificate, where that is all that lets us in.
    pub certificate: Option<Validity>,
}

impl Obtained {
    /// So long before its end somebody should have put the next one in its place.
    pub fn ahead(&self) -> Duration {
        self.certificate.map_or(AHEAD, |certificate| certificate.ahead())
    }
}

/// The part of the plugin's answer that counts.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Answer {
    status: Option<Status>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Status {
    expiration_timestamp: Option<Timestamp>,
    token: Option<String>,
    client_certificate_data: Option<String>,
    client_key_data: Option<String>,
}

/// Puts the token of a file, or what a plugin answers, in its place.
pub async fn replace(auth: &mut AuthInfo, asking: Asking) -> Result<Obtained, Report> {
    let now = Timestamp::now();
    certificate::load(auth).await?;
    if let Some(exec) = auth.exec.take() {
        let name = exec.command.clone().unwrap_or_default();
        let status = run(&exec, &name, asking).await?;
        return put(auth, status, &name, now);
    }
    match auth.token_file.take() {
        Some(file) if auth.token.is_none() => {
            let token = read(&file).await?;
            auth.token = Some(token.reveal().to_owned().into());
            Ok(Obtained {
                lease: Lease {
                    renew: Some(now + FILE),
                    ends: token_ends(token.reveal()),
                },
                proof: Some(token),
                ..Obtained::default()
            })
        }
        _ if auth.token.is_none() && auth.username.is_none() => Ok(certified(auth).unwrap_or_default()),
        _ => Ok(written(auth, now).unwrap_or_default()),
    }
}

/// The client certificate of the kubeconfig, which somebody renews there or in its file.
fn certified(auth: &AuthInfo) -> Option<Obtained> {
    let pem = certificate::of(auth)?;
    // With another key it is another credential.
    let key = hidden(auth, "client-key-data").unwrap_or_default();
    let certificate = Validity::of_pem(&pem)?;
    Some(Obtained {
        lease: Lease {
            renew: Some(certificate.ends - certificate.ahead()),
            ends: Some(certificate.ends),
        },
        proof: Some(Secret::new(String::from_utf8_lossy(&pem).into_owned() + &key)),
        plugin: false,
        certificate: Some(certificate),
    })
}

/// The token that stands in the kubeconfig, where it tells when it ends: somebody may write a newer one there.
fn written(auth: &AuthInfo, now: Timestamp) -> Option<Obtained> {
    let token = hidden(auth, "token")?;
    let ends = token_ends(&token)?;
    Some(Obtained {
        lease: Lease::until(Some(ends), now),
        proof: Some(Secret::new(token)),
        ..Obtained::default()
    })
}

/// What the client's own type hides in a field of the kubeconfig.
fn hidden(auth: &AuthInfo, field: &str) -> Option<String> {
    match serde_json::to_value(auth).ok()?.get_mut(field)?.take() {
        Value::String(text) => Some(text),
        _ => None,
    }
}

/// When a token says that it ends (`exp` of a JWT, RFC 7519); none: it is none, or does not say. Whether it is right is
/// the server's to know.
fn token_ends(token: &str) -> Option<Timestamp> {
    #[derive(Deserialize)]
    struct Claims {
        exp: f64,
    }
    let mut parts = token.split('.');
    let (_, claims, _, None) = (parts.next()?, parts.next()?, parts.next()?, parts.next()) else {
        return None;
    };
    let claims = URL_SAFE_NO_PAD.decode(claims).ok()?;
    let claims: Claims = serde_json::from_slice(&claims).ok()?;
    // A date beyond all dates saturates and is refused by the conversion.
    Timestamp::from_second(claims.exp as i64).ok()
}

/// The token in a file, without the line break that editors and `echo` leave.
async fn read(file: &str) -> Result<Secret, Report> {
    let unusable = |why: &str| Report::failed(KUBECONFIG, format!("the token file {file} {why}"));
    let text = files::text(Path::new(file), certificate::LONGEST)
        .await
        .map_err(|error| unusable("cannot be read").because(&error))?
        .ok_or_else(|| unusable("is larger than 1 MiB"))?;
    match text.trim() {
        "" => Err(unusable("is empty")),
        token => Ok(Secret::new(token)),
    }
}

fn put(auth: &mut AuthInfo, status: Status, name: &str, now: Timestamp) -> Result<Obtained, Report> {
    let (token, certificate, key) = (status.token, status.client_certificate_data, status.client_key_data);
    if token.is_none() && certificate.is_none() {
        return Err(failed(name, "it answered neither a token nor a certificate"));
    }
    if certificate.is_some() != key.is_some() {
        return Err(failed(
            name,
            "it answered a certificate and a key, but one of them only",
        ));
    }
    let proof = [&token, &certificate, &key]
        .map(|part| part.as_deref().unwrap_or_default())
        .concat();
    // With a token besides, that lets us in whatever becomes of the certificate.
    let validity = certificate
        .as_ref()
        .filter(|_| token.is_none())
        .and_then(|certificate| Validity::of_pem(certificate.as_bytes()));
    // One that is over already would have the plugin run for every request.
    let certified = validity.map(|validity| validity.ends).filter(|ends| *ends > now);
    let ends = [status.expiration_timestamp, certified].into_iter().flatten().min();
    if let Some(token) = token {
        auth.token = Some(token.into());
    }
    if let (Some(certificate), Some(key)) = (certificate, key) {
        auth.client_certificate_data = Some(STANDARD.encode(certificate));
        auth.client_key_data = Some(STANDARD.encode(key).into());
    }
    Ok(Obtained {
        lease: Lease::until(ends, now),
        proof: Some(Secret::new(proof)),
        plugin: true,
        certificate: validity,
    })
}

/// A failure never holds what the plugin printed on stdout: that may be half a credential.
fn failed(name: &str, why: &str) -> Report {
    Report::failed(KUBECONFIG, format!("the credential plugin {name} failed: {why}"))
}

/// That a person has to log in, and how. The plugin's arguments are not told: they may hold a client's secret.
fn login(name: &str, why: &str) -> Report {
    Report::failed(LOGIN, format!("the credential plugin {name} wants a login: {why}")).hint(format!(
        "kubectl:login lends it the terminal; without a console, run {name} in a shell, with the arguments that the \
         kubeconfig gives it"
    ))
}

async fn run(exec: &ExecConfig, name: &str, asking: Asking) -> Result<Status, Report> {
    let may_ask = exec.interactive_mode != Some(ExecInteractiveMode::Never);
    let lent = asking == Asking::Person && may_ask;
    if !lent && exec.interactive_mode == Some(ExecInteractiveMode::Always) {
        return Err(login(name, "it must ask somebody (interactiveMode: Always)"));
    }
    let version = exec.api_version.as_deref().unwrap_or("client.authentication.k8s.io/v1");
    let mut command = Command::new(name);
    command
        .args(exec.args.iter().flatten())
        .stdin(if lent { Stdio::inherit() } else { Stdio::null() })
        .stdout(Stdio::piped())
        .stderr(if lent { Stdio::inherit() } else { Stdio::piped() })
        .kill_on_drop(true);
    for dropped in exec.drop_env.iter().flatten() {
        command.env_remove(dropped);
    }
    for pair in exec.env.iter().flatten() {
        if let (Some(key), Some(value)) = (pair.get("name"), pair.get("value")) {
            command.env(key, value);
        }
    }
    let mut info = json!({"apiVersion": version, "kind": "ExecCredential", "spec": {"interactive": lent}});
    if let Some(cluster) = &exec.cluster {
        info["spec"]["cluster"] = serde_json::to_value(cluster).unwrap_or_default();
    }
    command.env("KUBERNETES_EXEC_INFO", info.to_string());
    let child = command.spawn().map_err(|error| {
        let report = failed(name, "it could not be started").because(&error);
        match &exec.install_hint {
            Some(hint) => report.hint(hint.clone()),
            None => report.hint("install it, or use a user with a token or a client certificate"),
        }
    })?;
    let deadline = if lent { PATIENCE } else { DEADLINE };
    let said = match timeout(deadline, said(child)).await {
        Err(_) => return Err(failed(name, &format!("no answer within {} s", deadline.as_secs()))),
        Ok(Err(error)) => return Err(failed(name, "its answer cannot be read").because(&error)),
        Ok(Ok(said)) => said,
    };
    let Some((status, stdout, stderr)) = said else {
        return Err(failed(name, "its answer is too long"));
    };
    if !status.success() {
        let code = status
            .code()
            .map_or("a signal".to_owned(), |code| format!("exit code {code}"));
        let why = match complaint(&stderr) {
            told if told.is_empty() => code,
            told => format!("{code}: {told}"),
        };
        // Where a person may help, that is what is missing.
        return Err(if may_ask && !lent {
            login(name, &why)
        } else {
            failed(name, &why)
        });
    }
    let answer: Answer =
        serde_json::from_slice(&stdout).map_err(|_| failed(name, "its answer is no ExecCredential"))?;
    answer.status.ok_or_else(|| failed(name, "its answer holds no status"))
}

/// The last lines of what it complained about, on one line.
fn complaint(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let told = lines.get(lines.len().saturating_sub(COMPLAINT)..).unwrap_or_default();
    SafeText::line(&told.join("; ")).as_str().to_owned()
}

/// How it ended, with what it printed: all of stdout, the end of stderr. None, and the program killed, when stdout holds
/// more than an answer can.
async fn said(mut child: Child) -> std::io::Result<Option<(ExitStatus, Vec<u8>, Vec<u8>)>> {
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let (mut answer, mut complaint) = (Vec::new(), Vec::new());
    let status = {
        let ended = async {
            if let Some(stdout) = stdout {
                stdout.take(LONGEST as u64 + 1).read_to_end(&mut answer).await?;
            }
            // The pipe is dropped by now: a program that goes on printing fails by itself.
            if answer.len() > LONGEST {
                child.kill().await?;
            }
            child.wait().await
        };
        let complains = last(stderr, &mut complaint);
        pin_mut!(ended, complains);
        tokio::select! {
            status = &mut ended => {
                // What it left running behind may hold its stderr for as long as it likes.
                let _ = timeout(MOMENT, complains).await;
                status?
            }
            _ = &mut complains => ended.await?,
        }
    };
    Ok((answer.len() <= LONGEST).then_some((status, answer, complaint)))
}

/// The last of what comes, at most [`LONGEST_COMPLAINT`] bytes.
async fn last(from: Option<impl AsyncRead + Unpin>, kept: &mut Vec<u8>) {
    let Some(mut from) = from else { return };
    let mut chunk = [0; 4096];
    // A complaint that cannot be read any further is told as far as it came.
    while let Ok(count @ 1..) = from.read(&mut chunk).await {
        kept.extend_from_slice(chunk.get(..count).unwrap_or_default());
        let excess = kept.len().saturating_sub(LONGEST_COMPLAINT);
        kept.drain(..excess);
    }
}

#[cfg(test)]
mod tests;
