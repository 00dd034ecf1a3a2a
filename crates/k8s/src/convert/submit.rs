//! A `spark-submit` command line.

use super::{ConvertError, Converted, Draft};

/// Flags that have a value and a key that means the same.
const KEYS: &[(&str, &str)] = &[
    ("--name", "spark.app.name"),
    ("--driver-memory", "spark.driver.memory"),
    ("--driver-cores", "spark.driver.cores"),
    ("--executor-memory", "spark.executor.memory"),
    ("--executor-cores", "spark.executor.cores"),
    ("--num-executors", "spark.executor.instances"),
    ("--queue", "spark.yarn.queue"),
];

/// Flags with a value that have no counterpart.
const LEFT_OUT: &[&str] = &[
    "--jars",
    "--packages",
    "--exclude-packages",
    "--repositories",
    "--files",
    "--archives",
    "--properties-file",
    "--driver-java-options",
    "--driver-library-path",
    "--driver-class-path",
    "--proxy-user",
    "--principal",
    "--keytab",
    "--total-executor-cores",
];

/// Where and how Spark would run it; a job runs on the cluster that it is applied to.
const WITHOUT_MEANING: &[&str] = &["--master", "--deploy-mode", "--remote"];

/// Flags without a value.
const BARE: &[&str] = &["--verbose", "-v", "--supervise", "--load-spark-defaults"];

/// Whether a flag of spark-submit has a value; nothing if there is no such flag.
pub fn takes_value(flag: &str) -> Option<bool> {
    let with_value = ["--conf", "-c", "--py-files", "--class"].contains(&flag)
        || KEYS.iter().any(|(name, _)| *name == flag)
        || LEFT_OUT.contains(&flag)
        || WITHOUT_MEANING.contains(&flag);
    (with_value || BARE.contains(&flag)).then_some(with_value)
}

/// Reads the words of a command line, with or without `spark-submit` in front.
///
/// Errors: a flag that spark-submit does not have, or without its value; no program; one for the JVM.
pub fn from_command(words: &[String]) -> Result<Converted, ConvertError> {
    let is_program = |word: &String| word.rsplit('/').next() == Some("spark-submit");
    let mut words = words.iter().skip_while(|word| is_program(word));
    let mut draft = Draft::default();
    let mut conf = Vec::new();
    let mut py_files = Vec::new();
    while let Some(word) = words.next() {
        if !word.starts_with('-') {
            let program = word.clone();
            // Keys in Spark's order of precedence would be the other way round; a flag and its key at once is rare.
            conf.sort_by_key(|(key, _): &(String, String)| key.contains("memoryOverhead"));
            for (key, value) in &conf {
                draft.set_conf(key, value);
            }
            draft.set_program(&program, &py_files)?;
            let args: Vec<&String> = words.by_ref().collect();
            if !args.is_empty() {
                draft.set(&["args"], serde_json::json!(args));
            }
            break;
        }
        let (flag, inline) = match word.split_once('=') {
            Some((flag, value)) if flag.starts_with("--") => (flag, Some(value.to_owned())),
            _ => (word.as_str(), None),
        };
        if BARE.contains(&flag) {
            if flag == "--supervise" {
                draft.leave_out("--supervise: set retry.limit");
            }
            continue;
        }
        let mut value =
            || inline.clone().or_else(|| words.next().cloned()).ok_or(ConvertError::NoValue(flag.to_owned()));
        match flag {
            "--conf" | "-c" => {
                let text = value()?;
                let (key, value) = text.split_once('=').ok_or(ConvertError::NoValue(text.clone()))?;
                conf.push((key.to_owned(), value.to_owned()));
            }
            "--py-files" => py_files = value()?.split(',').map(str::to_owned).collect(),
            "--class" => return Err(ConvertError::Jvm(value()?)),
            _ if WITHOUT_MEANING.contains(&flag) => drop(value()?),
            _ if LEFT_OUT.contains(&flag) => {
                let value = value()?;
                draft.leave_out(format!("{flag} {value}"));
            }
            _ => match KEYS.iter().find(|(name, _)| *name == flag) {
                Some((_, key)) => conf.push(((*key).to_owned(), value()?)),
                None => return Err(ConvertError::UnknownFlag(flag.to_owned())),
            },
        }
    }
    draft.finish()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::Manifest;

    use super::*;

    fn convert(line: &str) -> Result<Converted, ConvertError> {
        from_command(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn a_command_line_becomes_a_valid_job() {
        let converted = convert(
            "/opt/spark/bin/spark-submit --master k8s://https://x --deploy-mode cluster --name My_Job --num-executors 4 \
             --executor-memory 8g --executor-cores 2 --driver-memory=2g --conf spark.sql.shuffle.partitions=64 \
             --conf spark.executor.memoryOverhead=1g --conf spark.hadoop.fs.s3a.endpoint=minio:9000 \
             --conf spark.hadoop.fs.s3a.secret.key=xyz --py-files s3a://b/lib.zip --packages a:b:1 \
             s3a://b/job.py --day 2026-01-01",
        )
        .unwrap();
        let spec = &converted.job["spec"];
        assert_eq!(converted.job["metadata"]["name"], "my-job");
        assert_eq!(spec["main"]["python"], json!({ "file": "s3://b/job.py", "pyFiles": ["s3://b/lib.zip"] }));
        assert_eq!(spec["args"], json!(["--day", "2026-01-01"]));
        assert_eq!(spec["executor"], json!({ "count": 4, "cpu": "2", "memory": "9Gi" }));
        assert_eq!(spec["driver"]["memory"], "2Gi");
        assert_eq!(spec["conf"], json!({ "spark.sql.shuffle.partitions": "64" }));
        assert_eq!(spec["storage"]["connections"][0]["endpoint"], "https://minio:9000");
        assert_eq!(converted.left_out.len(), 2, "{:?}", converted.left_out);
        assert!(!converted.job.to_string().contains("xyz"), "a secret is not carried over");
        Manifest::parse(&converted.job.to_string(), "job", &[]).unwrap();
    }

    #[test]
    fn dynamic_allocation_becomes_elastic() {
        let converted = convert(
            "--conf spark.dynamicAllocation.enabled=true --conf spark.dynamicAllocation.maxExecutors=9 --num-executors 2 local:///a.py",
        )
        .unwrap();
        assert_eq!(converted.job["spec"]["executor"], json!({ "elastic": { "max": 9, "initial": 2 } }));
        Manifest::parse(&converted.job.to_string(), "job", &[]).unwrap();
        let off = convert("--conf spark.dynamicAllocation.enabled=false --num-executors 2 local:///a.py").unwrap();
        assert_eq!(off.job["spec"]["executor"], json!({ "count": 2 }));
    }

    #[test]
    fn mistakes_and_jvm_programs_are_named() {
        assert_eq!(convert("--executors 4 a.py"), Err(ConvertError::UnknownFlag("--executors".into())));
        assert_eq!(convert("--name"), Err(ConvertError::NoValue("--name".into())));
        assert_eq!(convert("--name x"), Err(ConvertError::NoProgram));
        assert_eq!(convert("--class org.Main app.jar"), Err(ConvertError::Jvm("org.Main".into())));
        assert!(matches!(convert("app.jar"), Err(ConvertError::Jvm(_))));
        assert_eq!(convert("./job.py").unwrap().left_out.len(), 1);
    }
}
