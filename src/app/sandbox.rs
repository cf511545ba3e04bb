//! `cogdeck sandbox`: serves the built-in world for other programs until it is interrupted.

use std::io::{IsTerminal, Write};
use std::path::Path;

use super::cli::{Common, SandboxArgs};
use super::start;
use crate::core::report::Report;
use crate::core::text::safe_line;
use crate::sandbox::{Sandbox, SandboxConfig};

/// The first line of every file the sandbox writes: it overwrites only files that begin so.
const MARK: &str = "# written by cogdeck sandbox";

/// Serves the world; the exit code.
pub async fn run(args: SandboxArgs, common: &Common) -> Result<u8, Report> {
    for path in [&args.kubeconfig, &args.env, &args.admin].into_iter().flatten() {
        may_write(path)?;
    }
    let interrupt = start::interrupted()?;
    let config = SandboxConfig {
        speed: common.speed,
        seed: common.seed,
        deployments: args.deployments,
        pods: args.pods,
        nodes: args.nodes,
        events: args.events,
        drain_race: args.drain_race,
        port: args.port,
    };
    let sandbox = Sandbox::start(config).await.map_err(|error| {
        Report::failed("E-SANDBOX-001", "the sandbox cannot start")
            .because(&error)
            .hint(if args.port == 0 {
                "it needs five free ports on 127.0.0.1"
            } else {
                "another --port, or none: without it the sandbox takes free ports"
            })
    })?;
    let written = write_files(&sandbox, &args);
    if written.is_ok() {
        let mut err = std::io::stderr();
        if err.is_terminal() {
            let _ = err.write_all(guide(&sandbox, args.env.as_deref()).as_bytes());
        }
        let mut out = std::io::stdout();
        let _ = writeln!(out, "ready");
        let _ = out.flush();
        interrupt.await;
    }
    sandbox.stop().await;
    written.map(|()| 0)
}

/// Where the world listens and how to use it: for people, so on a terminal only.
fn guide(sandbox: &Sandbox, env: Option<&Path>) -> String {
    let dns = sandbox.dns();
    let mut text = format!(
        "Kubernetes  {}\nAWS         {}\nDNS         dig @{} -p {}\nHTTP proxy  http://{}\n",
        sandbox.kubernetes_url(),
        sandbox.aws_url(),
        dns.ip(),
        dns.port(),
        sandbox.proxy(),
    );
    if let Some(env) = env {
        // Absolute, because `.` looks for a bare name in PATH first.
        let env = std::path::absolute(env).unwrap_or_else(|_| env.to_owned());
        let file = safe_line(&env.to_string_lossy());
        let file = shlex::try_quote(&file).unwrap_or_default();
        text.push_str(&format!(
            "`. {file}` in another shell makes kubectl, aws, curl and cogdeck use it.\n"
        ));
    }
    text.push_str("Ctrl-C ends it.\n");
    text
}

fn write_files(sandbox: &Sandbox, args: &SandboxArgs) -> Result<(), Report> {
    if let Some(path) = &args.kubeconfig {
        write(path, &sandbox.kubeconfig())?;
    }
    if let Some(path) = &args.admin {
        write(path, &sandbox.admin_file())?;
    }
    if let (Some(path), Some(kubeconfig)) = (&args.env, &args.kubeconfig) {
        let kubeconfig = std::path::absolute(kubeconfig).map_err(|error| refused(kubeconfig, &error))?;
        write(path, &sandbox.env_exports(&kubeconfig))?;
    }
    Ok(())
}

/// Refused before the world starts when the file exists and is not ours.
fn may_write(path: &Path) -> Result<(), Report> {
    match std::fs::read(path) {
        Ok(bytes) if bytes.is_empty() || bytes.starts_with(MARK.as_bytes()) => Ok(()),
        Ok(_) => Err(Report::refused(
            "E-SANDBOX-002",
            format!("{} exists, and the sandbox did not write it", path.display()),
        )
        .hint("name another file, or remove this one")),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(refused(path, &error)),
    }
}

/// Writes through a new file with mode 0600, so that no reader ever sees half of it and no link is followed.
fn write(path: &Path, text: &str) -> Result<(), Report> {
    use std::os::unix::fs::OpenOptionsExt;
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}", std::process::id()));
    let beside = path.with_file_name(name);
    let written = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&beside)
        .and_then(|mut file| file.write_all(format!("{MARK}\n{text}").as_bytes()))
        .and_then(|()| std::fs::rename(&beside, path));
    written.map_err(|error| {
        let _ = std::fs::remove_file(&beside);
        refused(path, &error)
    })
}

fn refused(path: &Path, error: &std::io::Error) -> Report {
    Report::refused("E-SANDBOX-003", format!("cannot write {}", path.display())).because(error)
}
