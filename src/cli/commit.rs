//! What was built: the commit and the branch, from options, the CI system or git.

use std::process::Command;

use clap::{Args, builder::NonEmptyStringValueParser};

/// Variables that name the commit, in the order in which they are asked.
const COMMIT_VARIABLES: [&str; 2] = ["GITHUB_SHA", "CI_COMMIT_SHA"];
/// Those that name the branch; of a pull request GitHub says the branch in the first only.
const BRANCH_VARIABLES: [&str; 3] = ["GITHUB_HEAD_REF", "GITHUB_REF_NAME", "CI_COMMIT_REF_NAME"];
/// What git calls a commit that is on no branch.
const DETACHED: &str = "HEAD";

/// What was measured.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct CommitArgs {
    /// Commit that was measured [default: what the CI system or git says]
    #[arg(long, value_name = "SHA", value_parser = NonEmptyStringValueParser::new())]
    commit: Option<String>,
    /// Branch that was measured [default: what the CI system or git says]
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    branch: Option<String>,
}

impl CommitArgs {
    /// Whether an option says anything.
    pub(super) fn is_given(&self) -> bool {
        self.commit.is_some() || self.branch.is_some()
    }

    /// Commit and branch, as far as anybody says.
    pub(super) fn said(&self) -> (Option<String>, Option<String>) {
        if let Some(commit) = &self.commit {
            // Another commit than the one at hand: the branch at hand says nothing about it.
            return (Some(commit.clone()), self.branch.clone());
        }
        let commit = of_variables(&COMMIT_VARIABLES).or_else(|| of_git(&["HEAD"]));
        let branch = self.branch.clone().or_else(|| of_variables(&BRANCH_VARIABLES));
        let branch = branch.or_else(|| of_git(&["--abbrev-ref", "HEAD"]));
        (commit, branch.filter(|branch| branch != DETACHED))
    }
}

fn of_variables(names: &[&str]) -> Option<String> {
    names.iter().filter_map(|name| std::env::var(name).ok()).find(|value| !value.is_empty())
}

/// `None` also where there is no git, or no repository.
fn of_git(words: &[&str]) -> Option<String> {
    let output = Command::new("git").arg("rev-parse").args(words).output().ok()?;
    let said = String::from_utf8(output.stdout).ok().filter(|_| output.status.success())?;
    Some(said.trim().to_owned()).filter(|said| !said.is_empty())
}
