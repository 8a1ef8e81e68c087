use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use nix::unistd::geteuid;

use crate::run_shown;

/// Installs what this machine lacks, where that is one command. `advice` tells what to do where it is not, with the
/// names of the packages in place of `{}`.
pub(crate) fn install_missing(missing: impl Fn() -> Vec<&'static str>, advice: &str) -> Result<()> {
    let packages = missing();
    if packages.is_empty() {
        return Ok(());
    }
    let advice = advice.replace("{}", &packages.join(" "));
    if !geteuid().is_root() || !has_apt() {
        bail!("{advice}");
    }
    println!("Installing {}", packages.join(" "));
    apt_get(&["update", "-q"]).and_then(|()| {
        let install = ["install", "-q", "-y", "--no-install-recommends"];
        apt_get(&[&install[..], &packages[..]].concat())
    })?;
    if !missing().is_empty() {
        bail!("installed, and still not found; {advice}");
    }
    Ok(())
}

fn has_apt() -> bool {
    Command::new("apt-get").arg("--version").stdout(Stdio::null()).status().is_ok_and(|it| it.success())
}

fn apt_get(args: &[&str]) -> Result<()> {
    let mut command = Command::new("apt-get");
    command.args(args).env("DEBIAN_FRONTEND", "noninteractive").stdin(Stdio::null());
    run_shown(&mut command).context("what is missing here cannot be installed")
}
