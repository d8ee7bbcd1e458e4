//! Every configuration of `fixtures/config/invalid` has one mistake, told as in the text beside it.

use std::path::{Path, PathBuf};

use plimsoll::config::{ConfigError, Expr, Loaded, Problem, Request, check_bytes};
use plimsoll::rule::{Mistake, parse_filter, parse_rule};

/// All that is wrong, as it is printed.
fn told(text: &[u8]) -> Vec<String> {
    let request = Request { directory: "/srv/shop".into(), ..Request::default() };
    let problems = match check_bytes(Some((Path::new("plimsoll.toml"), text)), &request) {
        Ok(loaded) => in_expressions(&loaded),
        Err(ConfigError::Invalid { problems, .. }) => problems,
        Err(error) => return vec![error.to_string()],
    };
    problems.iter().map(ToString::to_string).collect()
}

fn in_expressions(loaded: &Loaded) -> Vec<Problem> {
    let of_rules =
        loaded.config.rules.iter().map(|rule| (&rule.expr, parse_rule(&rule.expr.text).err()));
    let of_slos =
        loaded.config.slos.iter().map(|slo| (&slo.good, parse_filter(&slo.good.text).err()));
    let found = of_rules.chain(of_slos);
    let mistakes = found.flat_map(|(expr, mistakes)| {
        mistakes.unwrap_or_default().into_iter().map(move |mistake| (expr, mistake))
    });
    mistakes.map(|(expr, mistake)| problem(loaded, expr, mistake)).collect()
}

fn problem(loaded: &Loaded, expr: &Expr, mistake: Mistake) -> Problem {
    let Mistake { span, message, help } = mistake;
    loaded.problem_in(expr, span, &message, help.as_deref())
}

#[test]
fn each_invalid_configuration_has_one_mistake_told_as_beside_it() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/config/invalid");
    let entries = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> =
        entries.filter(|path| path.extension().is_some_and(|kind| kind == "toml")).collect();
    files.sort();
    assert!(files.len() >= 45, "only {} files", files.len());
    for file in files {
        let told = told(&std::fs::read(&file).unwrap());
        assert_eq!(told.len(), 1, "{}: {told:#?}", file.display());
        let beside = file.with_extension("txt");
        let want = std::fs::read_to_string(&beside).unwrap();
        assert_eq!(told[0], want.trim_end(), "{}", file.display());
    }
}
