//! Flags of `firesteel submit` may stand anywhere among those of `spark-submit`; the grammar wants them in front.

use clap::{Arg, Args};
use firesteel_k8s::convert::takes_value;

use crate::arguments::Submit;

/// The command line with the flags that are `submit`'s own in front of those of `spark-submit`. The program and what
/// follows it stay as they are.
pub(crate) fn own_first(line: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut line: Vec<String> = line.into_iter().collect();
    if line.get(1).is_none_or(|command| command != "submit") {
        return line;
    }
    let mut words = line.split_off(2).into_iter().peekable();
    let grammar = Submit::augment_args(clap::Command::new("submit"));
    let (mut own, mut others) = (Vec::new(), Vec::new());
    while let Some(word) = words.next_if(|word| word.starts_with('-')) {
        let flag = word.split_once('=').map_or(word.as_str(), |(flag, _)| flag);
        let ours = grammar.get_arguments().find(|argument| is(argument, flag));
        let has_value = match ours {
            Some(argument) => argument.get_action().takes_values(),
            None => takes_value(flag).unwrap_or(false),
        };
        let value_follows = has_value && flag.len() == word.len();
        let side = if ours.is_some() { &mut own } else { &mut others };
        side.push(word);
        if value_follows {
            side.extend(words.next());
        }
    }
    line.into_iter().chain(own).chain(others).chain(words).collect()
}

fn is(argument: &Arg, flag: &str) -> bool {
    let short = argument.get_short().map(|short| format!("-{short}"));
    flag.strip_prefix("--").is_some_and(|name| argument.get_long() == Some(name)) || short.as_deref() == Some(flag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, expected: &str) {
        assert_eq!(own_first(line.split(' ').map(str::to_owned)).join(" "), expected);
    }

    #[test]
    fn own_flags_come_first_up_to_the_program() {
        check(
            "firesteel submit --executor-memory 8g --set a=b --name x --dry-run -n team s3://code/a.py --set c=d",
            "firesteel submit --set a=b --dry-run -n team --executor-memory 8g --name x s3://code/a.py --set c=d",
        );
        check(
            "firesteel submit --executor-memory=8g --set=a=b --conf --set --image i a.py",
            "firesteel submit --set=a=b --image i --executor-memory=8g --conf --set a.py",
        );
    }

    #[test]
    fn everything_else_stays_as_it_is() {
        for line in [
            "firesteel",
            "firesteel run job.yaml --set a=b",
            "firesteel submit --help",
            "firesteel submit --no-such 3 --set a=b a.py",
            "firesteel submit --name",
        ] {
            check(line, line);
        }
    }
}
