//! What is built into the binary besides code: the migrations, and the browser client where
//! `web/app/dist` has it. A change of either makes the binary anew.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// Codings in which files stand beside themselves, best first, and how their names end.
const CODINGS: [(&str, &str); 2] = [("br", ".br"), ("gzip", ".gz")];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=../migrations");
    let app = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("../web/app");
    let dist = app.join("dist");
    let mut files = Vec::new();
    // A watched path that is not there would make every build a new one.
    if dist.join("index.html").is_file() {
        println!("cargo:rerun-if-changed=../web/app/dist");
        collect(&dist, "", &mut files)?;
        files.sort();
    } else if app.is_dir() {
        println!("cargo:rerun-if-changed=../web/app");
    }
    let mut table = "static CLIENT: &[File] = &[\n".to_owned();
    for (path, file) in &files {
        if CODINGS.iter().any(|(_, end)| path.ends_with(end)) {
            continue;
        }
        let media_type = media_type(path)?;
        let mut compressed = String::new();
        for (coding, end) in CODINGS {
            let beside = file.with_added_extension(&end[1..]);
            if beside.is_file() {
                compressed += &format!("({coding:?}, include_bytes!({beside:?})), ");
            }
        }
        table += &format!(
            "    File {{ path: {path:?}, media_type: {media_type:?}, body: include_bytes!({file:?}), \
             compressed: &[{compressed}] }},\n"
        );
    }
    table += "];\n";
    fs::write(Path::new(&env::var("OUT_DIR")?).join("client.rs"), table)?;
    Ok(())
}

/// The files of a folder and those below it, by the path at which they are served.
fn collect(
    folder: &Path,
    at: &str,
    files: &mut Vec<(String, PathBuf)>,
) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = format!("{at}/{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), &path, files)?;
        } else if !path.ends_with(".map") {
            files.push((path, entry.path()));
        }
    }
    Ok(())
}

fn media_type(path: &str) -> Result<&'static str, String> {
    let (_, extension) = path.rsplit_once('.').unwrap_or_default();
    Ok(match extension {
        "css" => "text/css; charset=utf-8",
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "json" => "application/json",
        "png" => "image/png",
        "svg" => "image/svg+xml",
        "woff2" => "font/woff2",
        _ => {
            return Err(format!(
                "web/app/dist{path}: name its media type in server/build.rs"
            ));
        }
    })
}
