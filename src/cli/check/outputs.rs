//! Where a decision goes: standard output, files, and what a CI runner names.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::ValueEnum;

use super::CheckOutput;
use crate::cli::error::{BAD_VALUE, Failure, UNWRITABLE};
use crate::cli::output::Terminal;
use crate::durable::write_whole;
use crate::model::{Decision, one_line};
use crate::report::{TextStyle, decision as render};

/// What `--write` asks for.
pub(super) fn writes(words: &[String]) -> Result<Vec<(CheckOutput, PathBuf)>, Failure> {
    let write = |word: &String| {
        // A `-` would be a file of this name; standard output is what -o is for.
        let parts = word.split_once('=').filter(|(_, file)| !matches!(*file, "" | "-"));
        let format = |name: &str| CheckOutput::from_str(name, true).ok();
        parts.and_then(|(name, file)| Some((format(name)?, PathBuf::from(file)))).ok_or_else(|| {
            Failure::new(&BAD_VALUE, format!("`--write` is `{word}`"))
                .hint("write it as FORMAT=FILE, such as sarif=plimsoll.sarif; -o FORMAT prints")
        })
    };
    let mut writes: Vec<(CheckOutput, PathBuf)> = Vec::new();
    for word in words {
        let (output, path) = write(word)?;
        if writes.iter().any(|(_, known)| *known == path) {
            let message = format!("`--write` names `{}` twice", path.display());
            return Err(Failure::new(&BAD_VALUE, message).hint("give each format its own file"));
        }
        writes.push((output, path));
    }
    Ok(writes)
}

/// Writes the files that were asked for.
pub(super) fn write(decision: &Decision, writes: &[(CheckOutput, PathBuf)]) -> Result<(), Failure> {
    for (output, path) in writes {
        let text = rendered(decision, *output, TextStyle { colour: false, ascii: false });
        // Of a link what it points to is written.
        let file = path.canonicalize();
        write_whole(file.as_ref().unwrap_or(path), text.as_bytes()).map_err(|error| {
            Failure::caused(&UNWRITABLE, &error).hint("make room, or choose another file")
        })?;
    }
    Ok(())
}

/// Prints the decision; on GitHub the summary and the outputs go to the files that it names.
pub(super) fn print(
    decision: &Decision,
    output: CheckOutput,
    terminal: &Terminal,
) -> Result<(), Failure> {
    let style = TextStyle { colour: terminal.colour, ascii: terminal.ascii };
    let text = rendered(decision, output, style);
    match output {
        CheckOutput::Text => terminal.text(&text),
        CheckOutput::Github => {
            let parts = render::github(decision);
            append("GITHUB_STEP_SUMMARY", &parts.summary_md)?;
            append("GITHUB_OUTPUT", &parts.outputs)?;
            terminal.data(&text)
        }
        _ => terminal.data(&text),
    }
}

fn rendered(decision: &Decision, output: CheckOutput, style: TextStyle) -> String {
    match output {
        CheckOutput::Text => render::text(decision, style),
        CheckOutput::Json => render::json(decision),
        CheckOutput::Github => render::github(decision).annotations,
        CheckOutput::Junit => render::junit(decision),
        CheckOutput::Sarif => render::sarif(decision),
        CheckOutput::Gitlab => render::gitlab(decision),
        CheckOutput::Md => render::markdown(decision),
    }
}

/// Appends to the file that a variable of the runner names; without the variable nothing is done.
fn append(variable: &str, text: &str) -> Result<(), Failure> {
    let Some(path) = std::env::var_os(variable).filter(|path| !path.is_empty()) else {
        return Ok(());
    };
    let path = Path::new(&path);
    let opened = OpenOptions::new().create(true).append(true).open(path);
    opened.and_then(|mut file| file.write_all(text.as_bytes())).map_err(|error| {
        let path = path.display().to_string();
        Failure::new(&UNWRITABLE, format!("cannot write `{}`: {error}", one_line(&path)))
            .hint(format!("the runner names this file in {variable}"))
    })
}
