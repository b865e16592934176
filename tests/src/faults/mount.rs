//! File systems that a part mounts for itself, where the machine permits it.

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Attempts to unmount, and the pause between two: a process that was just killed may still be
/// giving its files back.
const UNMOUNTS: u32 = 50;
const UNMOUNT_PAUSE: Duration = Duration::from_millis(20);

/// Why something is not possible on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotHere(pub String);

/// A mounted file system; unmounted when it is dropped.
#[derive(Debug)]
pub struct Mounted {
    at: PathBuf,
}

/// Makes a file with an empty ext4 of so many MiB in it.
///
/// # Errors
/// A tool is missing, or fails.
pub fn make_ext4(image: &Path, mib: u64) -> Result<(), NotHere> {
    let failed = |error: std::io::Error| NotHere(format!("no image: {error}"));
    let file = std::fs::File::create(image).map_err(failed)?;
    file.set_len(mib * 1_024 * 1_024).map_err(failed)?;
    run(tool("mkfs.ext4", "e2fsprogs")?
        .args(["-q", "-F"])
        .arg(image))
}

impl Mounted {
    /// Mounts an image through a loop device.
    ///
    /// # Errors
    /// The machine does not permit it.
    pub fn image(image: &Path, at: &Path) -> Result<Self, NotHere> {
        Self::mount(&["-o", "loop"], image, at)
    }

    /// Mounts a tmpfs of so many KiB.
    ///
    /// # Errors
    /// The machine does not permit it.
    pub fn tmpfs(kib: u64, at: &Path) -> Result<Self, NotHere> {
        let options = format!("size={kib}k,mode=0700");
        Self::mount(&["-t", "tmpfs", "-o", &options], Path::new("tmpfs"), at)
    }

    fn mount(args: &[&str], what: &Path, at: &Path) -> Result<Self, NotHere> {
        std::fs::create_dir_all(at).map_err(|error| NotHere(error.to_string()))?;
        run(tool("mount", "mount")?.args(args).arg(what).arg(at))?;
        Ok(Self { at: at.to_owned() })
    }

    /// The switch of its power, ready to be thrown.
    ///
    /// # Errors
    /// `xfs_io` is missing, or does not run.
    pub fn switch(&self) -> Result<Switch, NotHere> {
        let failed = |error: std::io::Error| NotHere(format!("xfs_io: {error}"));
        let child = tool("xfs_io", "xfsprogs")?
            .arg("-x")
            .arg(&self.at)
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(failed)?;
        Ok(Switch(Some(child)))
    }

    /// Unmounts it.
    ///
    /// # Errors
    /// It is in use.
    pub fn unmount(self) -> Result<(), NotHere> {
        let unmounted = unmount(&self.at);
        if unmounted.is_ok() {
            std::mem::forget(self);
        }
        unmounted
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        if let Err(NotHere(why)) = unmount(&self.at) {
            eprintln!("{} stays mounted: {why}", self.at.display());
        }
    }
}

/// A switch of the power of a file system; it holds the file system until it is dropped.
#[derive(Debug)]
pub struct Switch(Option<Child>);

impl Switch {
    /// Cuts the power: nothing more reaches the device, what was not synced is lost.
    ///
    /// # Errors
    /// The file system cannot be shut down.
    pub fn cut(mut self) -> Result<(), NotHere> {
        let failed = |error: std::io::Error| NotHere(format!("xfs_io: {error}"));
        let Some(mut child) = self.0.take() else {
            return Ok(());
        };
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(b"shutdown\n").map_err(failed)?;
        }
        let done = child.wait_with_output().map_err(failed)?;
        let told = String::from_utf8_lossy(&done.stderr);
        if done.status.success() && told.trim().is_empty() {
            return Ok(());
        }
        Err(NotHere(format!("xfs_io: {}", told.trim())))
    }
}

impl Drop for Switch {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn unmount(at: &Path) -> Result<(), NotHere> {
    let mut last = Ok(());
    for _ in 0..UNMOUNTS {
        last = run(tool("umount", "mount")?.arg(at));
        if last.is_ok() {
            break;
        }
        std::thread::sleep(UNMOUNT_PAUSE);
    }
    last
}

/// A program of the system, also where only root looks for it.
///
/// # Errors
/// It is not installed.
pub fn tool(name: &str, package: &str) -> Result<Command, NotHere> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut dirs: Vec<PathBuf> = std::env::split_paths(&path).collect();
    dirs.extend(["/usr/sbin", "/sbin"].map(PathBuf::from));
    let found = dirs
        .iter()
        .map(|dir| dir.join(name))
        .find(|it| it.is_file());
    match found {
        Some(program) => Ok(Command::new(program)),
        None => Err(NotHere(format!(
            "`{name}` is not installed (Debian package {package})"
        ))),
    }
}

fn run(command: &mut Command) -> Result<(), NotHere> {
    let name = command.get_program().display().to_string();
    let done = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| NotHere(format!("{name}: {error}")))?;
    if done.status.success() {
        return Ok(());
    }
    let told = String::from_utf8_lossy(&done.stderr);
    Err(NotHere(format!("{name}: {}", told.trim())))
}
