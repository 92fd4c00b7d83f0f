//! What is done to a component when its compiler is done with it: its version is written into it, and it is put where the host
//! looks for plugins.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use wasm_encoder::{ComponentSection, CustomSection};
use wasmparser::{Parser, Payload};

use crate::error::Error;
use crate::language::Component;

/// The custom section that `host status` shows, as `wasm-tools metadata add --version` writes it.
const VERSION: &str = "version";

/// The component's bytes with its version in them.
///
/// # Errors
/// Where the file is no component.
pub(crate) fn finished(component: &Component) -> Result<Vec<u8>, Error> {
    let mut bytes = fs::read(&component.file).map_err(Error::read(&component.file))?;
    let refuse = |reason: String| Error::Component {
        plugin: component.name.clone(),
        reason,
    };
    if !Parser::is_component(&bytes) {
        return Err(refuse(
            "its compiler made something else than a component".to_owned(),
        ));
    }
    let has_version = has_version(&bytes)
        .map_err(|error| refuse(format!("its compiler made a damaged component: {error}")))?;
    if !has_version && !component.version.is_empty() {
        CustomSection {
            name: VERSION.into(),
            data: component.version.as_bytes().into(),
        }
        .append_to_component(&mut bytes);
    }
    Ok(bytes)
}

fn has_version(bytes: &[u8]) -> wasmparser::Result<bool> {
    let mut depth = 0_usize;
    for payload in Parser::new(0).parse_all(bytes) {
        match payload? {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::CustomSection(section) if depth == 0 && section.name() == VERSION => {
                return Ok(true);
            }
            _ => {}
        }
    }
    Ok(false)
}

/// Puts the bytes into `folder` as NAME.wasm, whole and at once, for a running host may be watching it and looks at no hidden file.
/// Answers the file and whether it is another one than before.
pub(crate) fn put(folder: &Path, name: &str, bytes: &[u8]) -> Result<(PathBuf, bool), Error> {
    let file = folder.join(format!("{name}.wasm"));
    if fs::read(&file).is_ok_and(|there| there == bytes) {
        return Ok((file, false));
    }
    fs::create_dir_all(folder).map_err(Error::write(folder))?;
    // Nothing is left of one that can't be written whole.
    let mut new = tempfile::Builder::new()
        .prefix(&format!(".{name}."))
        .permissions(fs::Permissions::from_mode(0o644))
        .tempfile_in(folder)
        .map_err(Error::write(folder))?;
    new.write_all(bytes).map_err(Error::write(&file))?;
    new.persist(&file)
        .map_err(|error| Error::write(&file)(error.error))?;
    Ok((file, true))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that finds no value has failed")]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_written_once() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("x.wasm");
        let inner = "(component (core module (@custom \"version\" \"9\")))";
        fs::write(&file, wat::parse_str(inner).unwrap()).unwrap();
        let component = Component {
            name: "x".into(),
            version: "1.2.3".into(),
            file: file.clone(),
        };
        let once = finished(&component).unwrap();
        assert!(once.ends_with(b"\x07version1.2.3"));
        fs::write(&file, &once).unwrap();
        assert_eq!(finished(&component).unwrap(), once);
        fs::write(&file, b"\0asm\x01\0\0\0").unwrap();
        assert!(
            finished(&component)
                .unwrap_err()
                .to_string()
                .contains("something else than a component")
        );
    }

    #[test]
    fn what_is_there_is_not_written_again() {
        let folder = tempfile::tempdir().unwrap();
        let plugins = folder.path().join("plugins");
        assert!(put(&plugins, "x", b"1").unwrap().1);
        assert!(!put(&plugins, "x", b"1").unwrap().1);
        assert!(put(&plugins, "x", b"2").unwrap().1);
        let names: Vec<_> = fs::read_dir(&plugins)
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert_eq!(names, ["x.wasm"]);
    }
}
