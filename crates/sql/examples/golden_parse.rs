//! Measures the parser on Spark's golden files: `golden_parse DIR` reads every `*.out` below DIR.
//! A second argument says how many statements to print for each message.
#![allow(clippy::print_stdout)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{env, fs};

use firesteel_model::SparkError;
use firesteel_sql::{ParserOptions, parse_statement_with};
use serde_json::Value;

/// What became of the statements.
#[derive(Default)]
struct Tally {
    accepted: usize,
    accepted_of: usize,
    same_class: usize,
    refused_of: usize,
    details: usize,
    details_of: usize,
    misses: BTreeMap<String, Vec<String>>,
}

fn main() -> std::io::Result<()> {
    let root = env::args().nth(1).unwrap_or_else(|| ".".to_owned());
    let mut files = Vec::new();
    collect(Path::new(&root), &mut files)?;
    files.sort();
    let mut tally = Tally::default();
    for file in files {
        let text = fs::read_to_string(&file)?;
        for block in text.split("-- !query\n").skip(1) {
            let (query, result) = block.split_once("\n-- !query").unwrap_or((block, ""));
            judge(&mut tally, &file, query, result);
        }
    }
    let shown = env::args().nth(2).and_then(|count| count.parse().ok()).unwrap_or(3);
    let mut misses: Vec<_> = tally.misses.into_iter().collect();
    misses.sort_by_key(|(_, queries)| std::cmp::Reverse(queries.len()));
    for (message, queries) in &misses {
        println!("{:5} {message}", queries.len());
        queries.iter().take(shown).for_each(|query| println!("          {query}"));
    }
    println!("accepted {} of {} that Spark parses", tally.accepted, tally.accepted_of);
    println!("same error class for {} of {} that Spark's parser refuses", tally.same_class, tally.refused_of);
    println!("of the same class, parameters and fragments equal for {} of {}", tally.details, tally.details_of);
    Ok(())
}

fn collect(directory: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "out") {
            files.push(path);
        }
    }
    Ok(())
}

fn judge(tally: &mut Tally, file: &Path, query: &str, result: &str) {
    let class = result
        .contains("ParseException")
        .then(|| result.split_once("\"errorClass\" : \"").and_then(|(_, rest)| rest.split('"').next()))
        .flatten();
    let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let double_quoted_identifiers = name == "double-quoted-identifiers-enabled.sql.out";
    let options = ParserOptions { double_quoted_identifiers, ..ParserOptions::default() };
    let ours = parse_statement_with(query, &options);
    if let (Some(_), Err(error)) = (class, &ours) {
        compare_details(tally, &name, query, result, error);
    }
    let ours = ours.map_err(|error| (error.class().name, error.to_string()));
    let message = match (class, ours) {
        (None, Ok(_)) => {
            tally.accepted += 1;
            tally.accepted_of += 1;
            return;
        }
        (None, Err((_, message))) => {
            tally.accepted_of += 1;
            format!("refused: {}", message.lines().next().unwrap_or_default())
        }
        (Some(class), Ok(_)) => {
            tally.refused_of += 1;
            format!("should be refused: {class}")
        }
        (Some(class), Err((name, _))) => {
            tally.refused_of += 1;
            tally.same_class += usize::from(class == name);
            if class == name {
                return;
            }
            format!("other class: {class}, ours {name}")
        }
    };
    let query: String = query.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(220).collect();
    tally.misses.entry(message).or_default().push(format!("{name}: {query}"));
}

/// Parameters and fragment of an error of the same class.
fn compare_details(tally: &mut Tally, file: &str, query: &str, result: &str, error: &SparkError) {
    let Some(theirs) = result.find("\n{").and_then(|at| {
        let end = result[at..].find("\n}")?;
        serde_json::from_str::<Value>(&result[at..at + end + 2]).ok()
    }) else {
        return;
    };
    if theirs["errorClass"] != error.class().name {
        return;
    }
    let ours: BTreeMap<&str, &str> =
        error.params().iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let wanted: BTreeMap<&str, &str> = theirs["messageParameters"]
        .as_object()
        .map(|params| params.iter().filter_map(|(name, value)| Some((name.as_str(), value.as_str()?))).collect())
        .unwrap_or_default();
    let places = |count: usize| if count == 0 { "no fragment" } else { "a fragment" };
    let fragment = |context: &Value| context["fragment"].as_str().unwrap_or_default().to_owned();
    let their_fragments: Vec<_> = theirs["queryContext"].as_array().into_iter().flatten().map(fragment).collect();
    let our_fragments: Vec<_> = error.contexts().iter().map(|context| context.fragment.clone()).collect();
    tally.details_of += 1;
    let message = if ours != wanted {
        format!("{}: parameters {ours:?}, wanted {wanted:?}", error.class().name)
    } else if our_fragments != their_fragments {
        format!(
            "{}: {our_fragments:?}, wanted {their_fragments:?} ({})",
            error.class().name,
            places(their_fragments.len())
        )
    } else {
        tally.details += 1;
        return;
    };
    tally.misses.entry(message).or_default().push(format!("{file}: {}", query.replace('\n', " ")));
}
