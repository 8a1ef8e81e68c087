use std::env;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};
use nix::unistd::{User, geteuid};
use tempfile::TempDir;

/// PostgreSQL and pgbouncer refuse to run as root; this is the account that their Debian packages make.
const ACCOUNT: &str = "postgres";

/// Twice: what a program that dies with the test still writes may come between.
const REMOVE: &str = r#"; rm -rf "$1" || { sleep 1; rm -rf "$1"; }"#;

/// A temporary directory in which a server lives, and the account it runs as.
#[derive(Debug)]
pub(crate) struct Sandbox {
    // Dropped first: it ends the server that uses the directory.
    guard: Option<Guard>,
    dir: TempDir,
    account: Option<User>,
}

impl Sandbox {
    pub(crate) fn new(prefix: &str) -> Result<Self> {
        let account = if geteuid().is_root() { Some(server_account()?) } else { None };
        let dir = tempfile::Builder::new()
            .prefix(prefix)
            .tempdir()
            .context("cannot make a temporary directory for the server")?;
        if let Some(user) = &account {
            chown(dir.path(), Some(user.uid.as_raw()), Some(user.gid.as_raw()))
                .with_context(|| format!("cannot give {} to {ACCOUNT}", dir.path().display()))?;
        }
        Ok(Self { guard: None, dir, account })
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    /// A command that runs in the sandbox as the server's account, and knows nothing of the PostgreSQL that the
    /// caller's environment may point to.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        for (name, _) in env::vars_os().filter(|(name, _)| name.as_encoded_bytes().starts_with(b"PG")) {
            command.env_remove(name);
        }
        command.current_dir(self.path()).env("HOME", self.path()).env("LC_ALL", "C").stdin(Stdio::null());
        if let Some(user) = &self.account {
            command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
        }
        command
    }

    /// Writes a file that the server's account can read and nobody else can.
    pub(crate) fn write(&self, name: &str, content: &str) -> Result<()> {
        let path = self.path().join(name);
        fs::write(&path, content).with_context(|| format!("cannot write {}", path.display()))?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
        if let Some(user) = &self.account {
            chown(&path, Some(user.uid.as_raw()), Some(user.gid.as_raw()))?;
        }
        Ok(())
    }

    /// Runs `script` with the sandbox as `$1` and the server's program as `$2`. Its `read` returns when this sandbox
    /// is dropped; what it does then ends the server.
    pub(crate) fn guard_with(&mut self, script: &str, program: &OsStr) -> Result<()> {
        let mut command = self.command("sh");
        command.arg("-c").arg(format!("{script}{REMOVE}")).arg("sh").arg(self.path()).arg(program);
        // A group of its own: Ctrl-C must end the tests, not the one who cleans up behind them.
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
        self.guard = Some(Guard(command.spawn().context("cannot run sh")?));
        Ok(())
    }

    /// The end of a file, for error messages; empty when there is none.
    pub(crate) fn tail(&self, name: &str) -> String {
        let text = fs::read(self.path().join(name)).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }
}

/// A shell that reads from a pipe which only this process holds open. The pipe closes when the process drops it and
/// also when the process dies by whatever signal, so no server outlives its test.
#[derive(Debug)]
struct Guard(Child);

impl Drop for Guard {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

/// Runs a command to its end and returns what it printed.
pub(crate) fn output_of(command: &mut Command) -> Result<String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().with_context(|| {
        format!("cannot run {program} (the server's account must be able to enter its folder, and the temporary directory: see TMPDIR)")
    })?;
    let stdout = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        bail!("{program}: {}\n{}{stdout}", output.status, String::from_utf8_lossy(&output.stderr));
    }
    Ok(stdout.trim_end().to_owned())
}

fn server_account() -> Result<User> {
    User::from_name(ACCOUNT).context("cannot look up accounts")?.with_context(|| {
        format!(
            "servers do not run as root, and there is no account `{ACCOUNT}` (its Debian package makes it)"
        )
    })
}
