//! The command line's grammar.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use firesteel_k8s::Override;

/// Where `s3://` leads when nobody says otherwise.
pub(crate) const DATA_FOLDER: &str = "firesteel-data";

/// The port of a Spark Connect server, as Spark has it.
pub(crate) const CONNECT_PORT: u16 = 15002;

/// Runs Apache Spark jobs without a JVM.
#[derive(Debug, Parser)]
#[command(name = "firesteel", version, max_term_width = 100, propagate_version = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run a SparkJob's manifest, a script or a file of SQL on this machine, as the cluster would.
    Run(Run),
    /// Serve Spark Connect to PySpark clients, until Ctrl-C.
    Connect(Connect),
    /// Run SQL: statements given, a file, or a shell.
    Sql(Sql),
    /// Submit a script, a SQL file, a manifest or a spark-submit command line to a cluster, and follow the job.
    Submit(Submit),
    /// List a cluster's jobs, or show one.
    Get(Get),
    /// Print what a job's program prints.
    Logs(Logs),
    /// End a job of a cluster and take it away.
    Kill(Kill),
    /// Make a SparkJob's manifest of a spark-submit command line or of a SparkApplication's YAML file.
    Convert(Convert),
    /// Run a job or a server inside a pod, as the operator asks for it.
    #[command(hide = true)]
    Driver(Driver),
    /// Delete a job's shuffle files, as the operator asks for it.
    #[command(hide = true)]
    Clean(Clean),
    /// Serve S3 over a folder, for trying things out on a cluster.
    #[command(hide = true)]
    S3(S3),
    /// Run tasks for a driver, as the environment that it sets says.
    #[command(hide = true)]
    Executor,
    /// Print the version.
    Version,
    /// Print a script that completes this command in a shell.
    Completions {
        /// Whose script.
        shell: Shell,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Run {
    /// The SparkJob, or the program alone: JOB.yaml, SCRIPT.py or STATEMENTS.sql.
    pub(crate) file: PathBuf,

    /// Replace a field of the job: executor.count=4, conf.spark.sql.shuffle.partitions=8.
    #[arg(long = "set", value_name = "FIELD=VALUE")]
    pub(crate) overrides: Vec<Override>,

    /// Python that runs the script. Default: the active virtual environment's, or python3.
    #[arg(long, value_name = "PROGRAM", env = "PYSPARK_PYTHON")]
    pub(crate) python: Option<PathBuf>,

    /// Folder whose subfolders are the buckets of s3://, whatever connections the job names.
    /// Default: firesteel-data, for a job that names none.
    #[arg(long, value_name = "FOLDER", env = "FIRESTEEL_DATA")]
    pub(crate) data: Option<PathBuf>,

    /// Where tasks run: local[N] in this process, local-cluster[N,cores,MiB] in N others.
    #[arg(long, value_name = "MASTER")]
    pub(crate) master: Option<String>,

    /// How rows of a SQL job are printed.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,

    /// Arguments for the program, after those in the manifest; after -- where one begins with a hyphen.
    pub(crate) args: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Connect {
    /// Address to listen on.
    #[arg(long, default_value = "127.0.0.1")]
    pub(crate) host: IpAddr,

    /// Port to listen on; 0 takes any that is free.
    #[arg(long, default_value_t = CONNECT_PORT)]
    pub(crate) port: u16,

    /// Token that clients must give; without it one is made and printed, on this machine's own address alone.
    #[arg(long, env = "FIRESTEEL_TOKEN", hide_env_values = true)]
    pub(crate) token: Option<String>,

    #[command(flatten)]
    pub(crate) session: Session,
}

#[derive(Debug, Args)]
pub(crate) struct Sql {
    /// Statements to run, separated by semicolons.
    #[arg(short = 'e', long = "execute", value_name = "TEXT", conflicts_with = "file")]
    pub(crate) text: Option<String>,

    /// File of statements to run; - is standard input.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,

    /// How rows are printed.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,

    #[command(flatten)]
    pub(crate) session: Session,
}

/// Which jobs are meant.
#[derive(Debug, Args)]
pub(crate) struct Place {
    /// Context of the kubeconfig. Default: the current one.
    #[arg(long, value_name = "NAME")]
    pub(crate) context: Option<String>,

    /// Namespace of the job. Default: the manifest's, or the context's.
    #[arg(short, long, value_name = "NAME")]
    pub(crate) namespace: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Submit {
    #[command(flatten)]
    pub(crate) place: Place,

    /// How many executors.
    #[arg(long, value_name = "COUNT")]
    pub(crate) executors: Option<u32>,

    /// Image of driver and executors.
    #[arg(long, value_name = "IMAGE")]
    pub(crate) image: Option<String>,

    /// Replace a field of the job: driver.memory=4Gi, conf.spark.sql.shuffle.partitions=8.
    #[arg(long = "set", value_name = "FIELD=VALUE")]
    pub(crate) overrides: Vec<Override>,

    /// Print the job's name and leave; the job goes on.
    #[arg(long)]
    pub(crate) detach: bool,

    /// Print the manifest and submit nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// JOB.yaml, QUERY.sql, or flags of spark-submit, a script and its arguments. What follows the script is its own.
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true, value_name = "WORDS")]
    pub(crate) words: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Get {
    #[command(flatten)]
    pub(crate) place: Place,

    /// The job to show; without it, all of the namespace.
    #[arg(value_name = "JOB")]
    pub(crate) name: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Logs {
    #[command(flatten)]
    pub(crate) place: Place,

    /// Stay until the job has ended, and tell what happens to it; exits as the program did.
    #[arg(short, long)]
    pub(crate) follow: bool,

    /// The job.
    #[arg(value_name = "JOB")]
    pub(crate) name: String,
}

#[derive(Debug, Args)]
pub(crate) struct Kill {
    #[command(flatten)]
    pub(crate) place: Place,

    /// The job.
    #[arg(value_name = "JOB")]
    pub(crate) name: String,
}

#[derive(Debug, Args)]
pub(crate) struct Convert {
    /// The words of the command line, or one YAML file.
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true, value_name = "WORDS")]
    pub(crate) words: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Driver {
    /// File with the SparkJob to run.
    #[arg(long, value_name = "FILE", conflicts_with = "server", required_unless_present = "server")]
    pub(crate) job: Option<PathBuf>,

    /// File with the SparkConnectServer to serve.
    #[arg(long, value_name = "FILE")]
    pub(crate) server: Option<PathBuf>,

    /// File with the token that clients of the server must give.
    #[arg(long, value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,

    /// Port of the server.
    #[arg(long, default_value_t = CONNECT_PORT)]
    pub(crate) port: u16,

    /// Folder with the credentials of the connections, each in a folder named after its place in the list.
    #[arg(long, value_name = "FOLDER", default_value = firesteel_k8s::build::storage::FOLDER)]
    pub(crate) storage: PathBuf,

    /// Python that runs the script. Default: the active virtual environment's, or python3.
    #[arg(long, value_name = "PROGRAM", env = "PYSPARK_PYTHON")]
    pub(crate) python: Option<PathBuf>,

    /// File that gets the reason of the end.
    #[arg(long, value_name = "FILE", default_value = crate::last_words::FILE)]
    pub(crate) last_words: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Clean {
    /// File with the SparkJob.
    #[arg(long, value_name = "FILE")]
    pub(crate) job: PathBuf,

    /// Folder with the credentials of the connections, each in a folder named after its place in the list.
    #[arg(long, value_name = "FOLDER", default_value = firesteel_k8s::build::storage::FOLDER)]
    pub(crate) storage: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct S3 {
    /// Folder whose subfolders are the buckets.
    #[arg(long, value_name = "FOLDER", default_value = DATA_FOLDER)]
    pub(crate) data: PathBuf,

    /// Address to listen on.
    #[arg(long, default_value = "127.0.0.1")]
    pub(crate) host: IpAddr,

    /// Port to listen on.
    #[arg(long, default_value_t = 9000)]
    pub(crate) port: u16,

    /// Buckets to make at the start.
    #[arg(long = "bucket", value_name = "NAME")]
    pub(crate) buckets: Vec<String>,

    /// The access key that is let in.
    #[arg(long, env = "AWS_ACCESS_KEY_ID", hide_env_values = true)]
    pub(crate) access_key: String,

    /// The secret that goes with it.
    #[arg(long, env = "AWS_SECRET_ACCESS_KEY", hide_env_values = true)]
    pub(crate) secret_key: String,
}

/// What holds for sessions without a manifest.
#[derive(Debug, Args)]
pub(crate) struct Session {
    /// Folder whose subfolders are the buckets of s3://.
    #[arg(long, value_name = "FOLDER", env = "FIRESTEEL_DATA", default_value = DATA_FOLDER)]
    pub(crate) data: PathBuf,

    /// S3 store behind s3:// instead of the folder, with the keys in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY:
    /// https://s3.eu-central-1.amazonaws.com, http://127.0.0.1:9000.
    #[arg(long, value_name = "URL", value_parser = endpoint)]
    pub(crate) endpoint: Option<String>,

    /// Where tasks run: local[N] in this process, local-cluster[N,cores,MiB] in N others.
    #[arg(long, value_name = "MASTER")]
    pub(crate) master: Option<String>,

    /// Spark configuration: spark.sql.shuffle.partitions=8.
    #[arg(long = "conf", value_name = "KEY=VALUE", value_parser = key_value)]
    pub(crate) conf: Vec<(String, String)>,
}

impl Session {
    /// The configuration, with the master that was named.
    pub(crate) fn conf(&self) -> BTreeMap<String, String> {
        let master = self.master.iter().map(|master| ("spark.master".to_owned(), master.clone()));
        self.conf.iter().cloned().chain(master).collect()
    }
}

/// How rows are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// In columns, for people.
    #[default]
    Table,
    /// Comma-separated, with a header.
    Csv,
    /// One JSON object a line.
    Json,
}

fn endpoint(text: &str) -> Result<String, String> {
    let is_address = ["http://", "https://"].iter().any(|scheme| text.len() > scheme.len() && text.starts_with(scheme));
    if is_address { Ok(text.to_owned()) } else { Err("it begins with http:// or https://".to_owned()) }
}

fn key_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => Ok((key.trim().to_owned(), value.to_owned())),
        _ => Err("write it as key=value".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use crate::submit_flags::own_first;

    use super::*;

    fn parse(line: &str) -> Result<Command, clap::Error> {
        let line = own_first(line.split(' ').map(str::to_owned));
        Arguments::try_parse_from(line).map(|arguments| arguments.command)
    }

    #[test]
    fn the_grammar_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn run_takes_overrides_and_arguments() {
        let line = "firesteel run job.yaml --set executor.count=4 --set conf.spark.a=b=c --python py -- -x --set y";
        let Command::Run(run) = parse(line).unwrap() else { panic!("another command") };
        assert_eq!(run.file, PathBuf::from("job.yaml"));
        assert_eq!(run.overrides.len(), 2);
        assert_eq!(run.python, Some(PathBuf::from("py")));
        assert_eq!(run.args, ["-x", "--set", "y"]);
        let Command::Run(run) = parse("firesteel run a.py in --master local[2] out").unwrap() else {
            panic!("another command")
        };
        assert_eq!(
            (run.master.as_deref(), run.args.as_slice()),
            (Some("local[2]"), ["in".to_owned(), "out".to_owned()].as_slice())
        );
        assert!(parse("firesteel run a.py in --deep").is_err());
    }

    #[test]
    fn connect_and_sql_take_configuration() {
        let Command::Connect(connect) = parse("firesteel connect --port 0 --conf spark.a=b=c").unwrap() else {
            panic!("another command")
        };
        assert_eq!((connect.port, connect.host.to_string()), (0, "127.0.0.1".to_owned()));
        assert_eq!(connect.session.conf, [("spark.a".to_owned(), "b=c".to_owned())]);
        let Command::Sql(sql) = parse("firesteel sql -e SELECT --format json").unwrap() else {
            panic!("another command")
        };
        assert_eq!((sql.text.as_deref(), sql.format), (Some("SELECT"), Format::Json));
    }

    #[test]
    fn submit_leaves_the_words_of_spark_submit_alone() {
        let line =
            "firesteel submit -n team --executor-memory 8g --executors 4 --name x s3://code/job.py --executors 9";
        let Command::Submit(submit) = parse(line).unwrap() else { panic!("another command") };
        assert_eq!((submit.executors, submit.place.namespace.as_deref()), (Some(4), Some("team")));
        assert_eq!(submit.words.join(" "), "--executor-memory 8g --name x s3://code/job.py --executors 9");
    }

    #[test]
    fn mistakes_are_usage_errors() {
        for line in [
            "firesteel",
            "firesteel run",
            "firesteel run job.yaml --set executor.count",
            "firesteel sql -e a -f b",
            "firesteel sql --format xml",
            "firesteel connect --conf spark.a",
            "firesteel connect --port 70000",
        ] {
            assert_eq!(parse(line).unwrap_err().exit_code(), 2, "{line}");
        }
    }
}
