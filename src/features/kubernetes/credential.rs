//! Credential plugins of a kubeconfig (client.authentication.k8s.io): a program that prints a token or a certificate. It
//! runs beside the async threads, with captured output and a deadline, and only for the kube context in use. Not for
//! plugins that must ask a person.

use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use kube::config::{AuthInfo, ExecConfig, ExecInteractiveMode};
use serde::Deserialize;
use serde_json::json;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};

use super::error::KUBECONFIG;
use crate::core::report::Report;

/// A plugin that takes longer hangs: most ask a cloud's own service once.
const DEADLINE: Duration = Duration::from_secs(60);
/// What a plugin prints is a small JSON object; more is not read (bytes).
const LONGEST: usize = 1024 * 1024;
/// Of its complaint the last bytes are kept.
const LONGEST_COMPLAINT: usize = 16 * 1024;
/// Lines of its complaint that are told.
const COMPLAINT: usize = 5;

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

/// Runs the plugin and puts what it answers in its place. Returns when that expires, if the plugin said so.
pub async fn replace(auth: &mut AuthInfo) -> Result<Option<Timestamp>, Report> {
    let Some(exec) = auth.exec.take() else { return Ok(None) };
    let name = exec.command.clone().unwrap_or_default();
    let status = run(&exec, &name).await?;
    let (token, certificate, key) = (status.token, status.client_certificate_data, status.client_key_data);
    if token.is_none() && certificate.is_none() {
        return Err(failed(&name, "it answered neither a token nor a certificate"));
    }
    if certificate.is_some() != key.is_some() {
        return Err(failed(
            &name,
            "it answered a certificate and a key, but one of them only",
        ));
    }
    if let Some(token) = token {
        auth.token = Some(token.into());
    }
    if let (Some(certificate), Some(key)) = (certificate, key) {
        auth.client_certificate_data = Some(STANDARD.encode(certificate));
        auth.client_key_data = Some(STANDARD.encode(key).into());
    }
    Ok(status.expiration_timestamp)
}

/// A failure never holds what the plugin printed on stdout: that may be half a credential.
fn failed(name: &str, why: &str) -> Report {
    Report::failed(KUBECONFIG, format!("the credential plugin {name} failed: {why}"))
}

async fn run(exec: &ExecConfig, name: &str) -> Result<Status, Report> {
    if exec.interactive_mode == Some(ExecInteractiveMode::Always) {
        return Err(failed(name, "it must be run by hand (interactiveMode: Always)")
            .hint("log in with it in a shell first, or use a user with a token or a client certificate"));
    }
    let version = exec.api_version.as_deref().unwrap_or("client.authentication.k8s.io/v1");
    let mut command = Command::new(name);
    command
        .args(exec.args.iter().flatten())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    for dropped in exec.drop_env.iter().flatten() {
        command.env_remove(dropped);
    }
    for pair in exec.env.iter().flatten() {
        if let (Some(key), Some(value)) = (pair.get("name"), pair.get("value")) {
            command.env(key, value);
        }
    }
    let info = json!({"apiVersion": version, "kind": "ExecCredential", "spec": {"interactive": false}});
    command.env("KUBERNETES_EXEC_INFO", info.to_string());
    let child = command.spawn().map_err(|error| {
        let report = failed(name, "it could not be started").because(&error);
        match &exec.install_hint {
            Some(hint) => report.hint(hint.clone()),
            None => report.hint("install it, or use a user with a token or a client certificate"),
        }
    })?;
    let said = match tokio::time::timeout(DEADLINE, said(child)).await {
        Err(_) => return Err(failed(name, &format!("no answer within {} s", DEADLINE.as_secs()))),
        Ok(Err(error)) => return Err(failed(name, "its answer cannot be read").because(&error)),
        Ok(Ok(said)) => said,
    };
    let Some((status, stdout, stderr)) = said else {
        return Err(failed(name, "its answer is too long"));
    };
    if !status.success() {
        let complaint = String::from_utf8_lossy(&stderr);
        let lines: Vec<&str> = complaint.lines().filter(|line| !line.trim().is_empty()).collect();
        let told = lines
            .iter()
            .rev()
            .take(COMPLAINT)
            .rev()
            .copied()
            .collect::<Vec<_>>()
            .join("; ");
        let code = status
            .code()
            .map_or("a signal".to_owned(), |code| format!("exit code {code}"));
        return Err(failed(name, &format!("{code}: {told}")));
    }
    let answer: Answer =
        serde_json::from_slice(&stdout).map_err(|_| failed(name, "its answer is no ExecCredential"))?;
    answer.status.ok_or_else(|| failed(name, "its answer holds no status"))
}

/// How it ended, with what it printed: all of stdout, the end of stderr. None, and the program killed, when stdout holds
/// more than an answer can.
async fn said(mut child: Child) -> std::io::Result<Option<(ExitStatus, Vec<u8>, Vec<u8>)>> {
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let mut answer = Vec::new();
    let read = async {
        if let Some(stdout) = stdout {
            stdout.take(LONGEST as u64 + 1).read_to_end(&mut answer).await?;
        }
        // Dropped with the pipe: a program that goes on printing fails by itself.
        std::io::Result::Ok(())
    };
    let (read, complaint) = tokio::join!(read, last(stderr));
    read?;
    if answer.len() > LONGEST {
        child.kill().await?;
        return Ok(None);
    }
    Ok(Some((child.wait().await?, answer, complaint?)))
}

/// The last of what comes, at most [`LONGEST_COMPLAINT`] bytes.
async fn last(from: Option<impl AsyncRead + Unpin>) -> std::io::Result<Vec<u8>> {
    let mut kept = Vec::new();
    let Some(mut from) = from else { return Ok(kept) };
    let mut chunk = [0; 4096];
    loop {
        let count = from.read(&mut chunk).await?;
        if count == 0 {
            return Ok(kept);
        }
        kept.extend_from_slice(chunk.get(..count).unwrap_or_default());
        let excess = kept.len().saturating_sub(LONGEST_COMPLAINT);
        kept.drain(..excess);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
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
        let expires = replace(&mut auth).await.unwrap();
        assert_eq!(expires, Some("2030-01-02T03:04:05Z".parse().unwrap()));
        assert!(auth.exec.is_none() && auth.token.is_some());
    }

    #[tokio::test]
    async fn what_goes_wrong_is_told_and_a_credential_is_not() {
        let message = async |script: &str| replace(&mut auth(script)).await.unwrap_err().message;
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
            replace(&mut missing)
                .await
                .unwrap_err()
                .message
                .contains("could not be started")
        );
        let mut by_hand = auth("");
        by_hand.exec.as_mut().unwrap().interactive_mode = Some(ExecInteractiveMode::Always);
        assert!(replace(&mut by_hand).await.unwrap_err().message.contains("by hand"));
    }
}
