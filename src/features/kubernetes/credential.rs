//! What lets the user of a kubeconfig in, as far as it is not written there: a token file, which others replace, and a
//! credential plugin (client.authentication.k8s.io), a program that prints a token or a certificate. A plugin runs beside
//! the async threads, with captured output and a deadline, and only for the kube context in use; one that must ask a
//! person gets the terminal, when that person asks for it.

use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use futures::pin_mut;
use jiff::Timestamp;
use kube::config::{AuthInfo, ExecConfig, ExecInteractiveMode};
use serde::Deserialize;
use serde_json::json;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use super::certificate::{self, Validity};
use super::error::{KUBECONFIG, LOGIN};
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
        _ if auth.token.is_none() && auth.username.is_none() => Ok(certified(auth).await.unwrap_or_default()),
        _ => Ok(written(auth, now).unwrap_or_default()),
    }
}

/// The client certificate of the kubeconfig, which somebody renews there or in its file.
async fn certified(auth: &AuthInfo) -> Option<Obtained> {
    let pem = certificate::of(auth).await?;
    let certificate = Validity::of_pem(&pem)?;
    Some(Obtained {
        lease: Lease {
            renew: Some(certificate.ends - certificate.ahead()),
            ends: Some(certificate.ends),
        },
        proof: Some(Secret::new(String::from_utf8_lossy(&pem).into_owned())),
        plugin: false,
        certificate: Some(certificate),
    })
}

/// The token that stands in the kubeconfig, where it tells when it ends: somebody may write a newer one there.
fn written(auth: &AuthInfo, now: Timestamp) -> Option<Obtained> {
    let auth = serde_json::to_value(auth).ok()?;
    let token = auth.get("token")?.as_str()?;
    let ends = token_ends(token)?;
    Some(Obtained {
        lease: Lease::until(Some(ends), now),
        proof: Some(Secret::new(token)),
        ..Obtained::default()
    })
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
    let text = tokio::fs::read_to_string(file)
        .await
        .map_err(|error| unusable("cannot be read").because(&error))?;
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
    let proof = [&token, &certificate]
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
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::certificate::tests::signed;
    use super::*;

    fn auth(script: &str) -> AuthInfo {
        serde_json::from_value(
            json!({"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "/bin/sh",
            "args": ["-c", script], "env": [{"name": "GREETING", "value": "hello"}], "interactiveMode": "Never"}}),
        )
        .unwrap()
    }

    #[tokio::test]
    async fn a_token_takes_the_place_of_the_plugin() {
        let mut auth = auth(
            r#"test "$GREETING" = hello || exit 3
            case "$KUBERNETES_EXEC_INFO" in *ExecCredential*) ;; *) exit 4;; esac
            echo '{"kind":"ExecCredential","status":{"token":"t0p","expirationTimestamp":"2030-01-02T03:04:05Z"}}'"#,
        );
        let lease = replace(&mut auth, Asking::Nobody).await.unwrap().lease;
        assert_eq!(lease.ends, Some("2030-01-02T03:04:05Z".parse().unwrap()));
        assert!(auth.exec.is_none() && auth.token.is_some());
    }

    #[tokio::test]
    async fn what_goes_wrong_is_told_and_a_credential_is_not() {
        let message = async |script: &str| replace(&mut auth(script), Asking::Nobody).await.unwrap_err().message;
        assert_eq!(
            message("echo s3cret; echo 'login first' >&2; exit 7").await,
            "the credential plugin /bin/sh failed: exit code 7: login first"
        );
        let half = message("echo '{\"status\":{\"token\":\"s3cret\"'").await;
        assert!(
            half.ends_with("its answer is no ExecCredential") && !half.contains("s3cret"),
            "{half}"
        );
        assert!(message("echo '{}'").await.contains("no status"));
        assert!(
            message("echo '{\"status\":{}}'")
                .await
                .contains("neither a token nor a certificate")
        );
        let endless = tokio::time::timeout(Duration::from_secs(20), message("yes s3cret")).await;
        assert!(endless.unwrap().ends_with("its answer is too long"));
        let chatty = message("i=0; while [ $i -lt 2000 ]; do echo line $i >&2; i=$((i+1)); done; exit 1").await;
        assert!(
            chatty.contains("line 1999") && !chatty.contains("line 1990;"),
            "{chatty}"
        );
        let mut missing = auth("");
        missing.exec.as_mut().unwrap().command = Some("/does/not/exist".into());
        assert!(
            replace(&mut missing, Asking::Nobody)
                .await
                .unwrap_err()
                .message
                .contains("could not be started")
        );
    }

    #[tokio::test]
    async fn what_a_plugin_leaves_running_keeps_its_answer_from_nobody() {
        let begin = std::time::Instant::now();
        let script = "sleep 20 >/dev/null & echo '{\"status\":{\"token\":\"t\"}}'";
        assert!(replace(&mut auth(script), Asking::Nobody).await.unwrap().plugin);
        let complaint = "sleep 20 >/dev/null & echo 'who are you?' >&2; exit 1";
        let refused = replace(&mut auth(complaint), Asking::Nobody).await.unwrap_err();
        assert!(refused.message.ends_with("exit code 1: who are you?"), "{refused}");
        assert!(begin.elapsed() < Duration::from_secs(15), "{:?}", begin.elapsed());
    }

    #[tokio::test]
    async fn what_wants_a_person_is_told_with_the_way_to_log_in() {
        let mut always = auth("echo never >&2; exit 1");
        always.exec.as_mut().unwrap().interactive_mode = Some(ExecInteractiveMode::Always);
        let report = replace(&mut always, Asking::Nobody).await.unwrap_err();
        assert!(report.code == LOGIN && report.message.contains("Always"), "{report}");
        let hint = report.hint.unwrap();
        assert!(
            hint.contains("kubectl:login") && hint.contains("run /bin/sh in a shell") && !hint.contains("exit 1"),
            "{hint}"
        );
        let mut if_available = auth("echo who are you >&2; exit 1");
        if_available.exec.as_mut().unwrap().interactive_mode = Some(ExecInteractiveMode::IfAvailable);
        let report = replace(&mut if_available, Asking::Nobody).await.unwrap_err();
        assert!(
            report.code == LOGIN && report.message.ends_with("exit code 1: who are you"),
            "{report}"
        );
    }

    #[tokio::test]
    async fn a_token_file_is_read_without_its_line_break() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        let with = || AuthInfo {
            token_file: Some(file.display().to_string()),
            ..AuthInfo::default()
        };
        std::fs::write(&file, "t0p\n").unwrap();
        let mut auth = with();
        let obtained = replace(&mut auth, Asking::Nobody).await.unwrap();
        assert!(obtained.proof == Some(Secret::new("t0p")) && obtained.lease.ends.is_none() && auth.token.is_some());
        std::fs::write(&file, "\n").unwrap();
        let empty = replace(&mut with(), Asking::Nobody).await.unwrap_err();
        assert!(empty.message.ends_with("token is empty"), "{empty}");
    }

    #[tokio::test]
    async fn a_client_certificate_says_when_it_ends() {
        let now = Timestamp::from_second(Timestamp::now().as_second()).unwrap();
        let after = |minutes: i64| now + jiff::SignedDuration::from_mins(minutes);
        let (pem, key) = signed(after(-600), after(600));
        let with = |data: &str| AuthInfo {
            client_certificate_data: Some(data.to_owned()),
            ..AuthInfo::default()
        };
        let mut auth = with(&STANDARD.encode(&pem));
        let obtained = replace(&mut auth, Asking::Nobody).await.unwrap();
        let lease = Lease {
            renew: Some(after(480)),
            ends: Some(after(600)),
        };
        assert_eq!(
            (obtained.lease, obtained.proof),
            (lease, Some(Secret::new(pem.as_str())))
        );
        // Whoever has a token besides is let in by that.
        auth.token = Some("t".to_owned().into());
        assert_eq!(
            replace(&mut auth, Asking::Nobody).await.unwrap().lease,
            Lease::default()
        );
        // What is wrong with it, the client tells.
        for unreadable in [STANDARD.encode("no certificate"), "no base64!".to_owned()] {
            let obtained = replace(&mut with(&unreadable), Asking::Nobody).await.unwrap();
            assert_eq!((obtained.lease, obtained.certificate), (Lease::default(), None));
        }
        // A plugin's counts until the earlier of its end and of what the plugin says.
        let answers = async |more: serde_json::Value, ends: i64| {
            let mut status = json!({"clientCertificateData": signed(after(-60), after(ends)).0, "clientKeyData": key});
            status
                .as_object_mut()
                .unwrap()
                .extend(more.as_object().unwrap().clone());
            let mut auth = auth_of(&json!({"status": status}));
            replace(&mut auth, Asking::Nobody).await.unwrap()
        };
        let said = |minutes: i64| json!({"expirationTimestamp": after(minutes).to_string()});
        assert_eq!(answers(json!({}), 30).await.lease.ends, Some(after(30)));
        assert_eq!(answers(said(20), 30).await.lease.ends, Some(after(20)));
        assert_eq!(answers(said(40), 30).await.lease.ends, Some(after(30)));
        assert_eq!(answers(json!({"token": "t"}), 30).await.lease.ends, None);
        let over = answers(json!({}), -30).await;
        assert_eq!((over.lease.ends, over.certificate.unwrap().ends), (None, after(-30)));
    }

    /// A plugin that answers this.
    fn auth_of(answer: &serde_json::Value) -> AuthInfo {
        let mut auth = auth("printf %s \"$ANSWER\"");
        let variable = [("name", "ANSWER".to_owned()), ("value", answer.to_string())];
        let variable = variable.map(|(key, value)| (key.to_owned(), value)).into();
        auth.exec.as_mut().unwrap().env = Some(vec![variable]);
        auth
    }

    #[test]
    fn a_token_may_say_when_it_ends() {
        let token = |claims: &str| format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims));
        assert_eq!(
            token_ends(&token(r#"{"exp":60,"sub":"x"}"#)),
            Some("1970-01-01T00:01:00Z".parse().unwrap())
        );
        assert_eq!(
            token_ends(&token(r#"{"exp":60.5}"#)),
            Some("1970-01-01T00:01:00Z".parse().unwrap())
        );
        let strange = [r#"{"exp":1e300}"#, r#"{"exp":"60"}"#, "{}", "no json", ""].map(token);
        let others = ["", "abc", "a.b", "a.b.c", "a.b.c.d", "..", "a.é.c"].map(str::to_owned);
        for none in strange.iter().chain(&others) {
            assert_eq!(token_ends(none), None, "{none}");
        }
    }

    #[test]
    fn a_lease_is_renewed_ahead_of_its_end() {
        let now = Timestamp::UNIX_EPOCH;
        let after = |seconds: u64| now + Duration::from_secs(seconds);
        let long = Lease::until(Some(after(900)), now);
        assert!(!long.is_due(after(839)) && long.is_due(after(840)) && !long.is_over(after(899)));
        assert!(long.is_over(after(900)));
        let short = Lease::until(Some(after(20)), now);
        assert!(!short.is_due(after(14)) && short.is_due(after(15)));
        let past = Lease::until(Some(now), after(5));
        assert!(past.is_due(after(5)) && past.is_over(after(5)));
        assert!(!Lease::default().is_due(after(9)) && !Lease::default().is_over(after(9)));
    }
}
