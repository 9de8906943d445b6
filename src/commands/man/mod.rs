//! `man`: the manual pages, made from the flags and the program's own lists, so that they cannot say
//! anything else than the program does.

mod pages;

use std::fs;
use std::path::Path;

use serde_json::json;

use super::shell::{Failure, Shell};
use crate::cli::Man;
use crate::exit::ExitCode;
use pages::{Page, pages};

/// Prints the main page, or writes all of them.
pub fn man(shell: &Shell, flags: &Man) -> Result<ExitCode, Failure> {
    let pages = pages();
    match &flags.out_dir {
        None => {
            let main = &pages[0];
            shell.answer(
                || json!({ "file": main.file, "page": main.text }),
                || main.text.trim_end().to_owned(),
            );
        }
        Some(folder) => {
            write(&pages, folder)?;
            let files: Vec<&str> = pages.iter().map(|page| page.file.as_str()).collect();
            shell.answer(
                || json!({ "folder": folder, "files": files }),
                || format!("{} manual pages in {}", files.len(), folder.display()),
            );
        }
    }
    Ok(ExitCode::Ok)
}

fn write(pages: &[Page], folder: &Path) -> Result<(), Failure> {
    let cannot = |path: &Path, error: &std::io::Error| {
        Failure::new(
            ExitCode::CantCreat,
            format!(
                "cannot write {}: {error}; name a folder that you may write with --out-dir",
                path.display()
            ),
        )
    };
    fs::create_dir_all(folder).map_err(|error| cannot(folder, &error))?;
    for page in pages {
        let path = folder.join(&page.file);
        fs::write(&path, &page.text).map_err(|error| cannot(&path, &error))?;
    }
    Ok(())
}
