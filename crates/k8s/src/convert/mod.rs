//! From what users of Spark have, a `spark-submit` command line or a `SparkApplication`, to a `SparkJob`.
//!
//! ```text
//!   command line --submit-------+
//!                               +--> Draft (conf: one key after the other) --> manifest + what is left out
//!   SparkApplication --application+
//! ```
//!
//! Nothing is dropped silently: whatever has no counterpart is named.

mod application;
mod conf;
mod submit;

use serde_json::{Map, Value, json};

pub use application::from_application;
pub use submit::{from_command, takes_value};

/// A job, and what could not be carried over.
#[derive(Clone, Debug, PartialEq)]
pub struct Converted {
    /// The manifest of a `SparkJob`.
    pub job: Value,
    /// What has no counterpart, a sentence each.
    pub left_out: Vec<String>,
    /// What the job lacks and Spark needs not, a sentence each.
    pub to_add: Vec<String>,
}

impl Converted {
    /// The manifest as YAML.
    pub fn to_yaml(&self) -> Result<String, ConvertError> {
        serde_saphyr::to_string(&self.job).map_err(|error| ConvertError::Yaml(error.to_string()))
    }
}

/// Something that no job can be made of.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConvertError {
    /// A flag without its value.
    #[error("{0} needs a value")]
    NoValue(String),
    /// A flag that spark-submit does not have.
    #[error("spark-submit has no flag {0}")]
    UnknownFlag(String),
    /// There is no program.
    #[error("there is no program: a Python script is needed")]
    NoProgram,
    /// A program for the JVM.
    #[error("{0} is a program for the JVM, which cannot run without one; Python scripts, SQL and native programs can")]
    Jvm(String),
    /// Text that is no YAML, or no SparkApplication.
    #[error("this is no SparkApplication: {0}")]
    NoApplication(String),
    /// The manifest cannot be written.
    #[error("the manifest cannot be written as YAML: {0}")]
    Yaml(String),
}

/// A manifest in the making.
#[derive(Debug, Default)]
struct Draft {
    name: Option<String>,
    namespace: Option<String>,
    spec: Map<String, Value>,
    left_out: Vec<String>,
}

impl Draft {
    fn leave_out(&mut self, what: impl Into<String>) {
        self.left_out.push(what.into());
    }

    /// Sets a field of the spec; the way there is made.
    fn set(&mut self, path: &[&str], value: Value) {
        let Some((last, way)) = path.split_last() else { return };
        let mut at = &mut self.spec;
        for name in way {
            let below = at.entry((*name).to_owned()).or_insert_with(|| json!({}));
            if !below.is_object() {
                *below = json!({});
            }
            let Value::Object(map) = below else { return };
            at = map;
        }
        at.insert((*last).to_owned(), value);
    }

    fn get(&self, path: &[&str]) -> Option<&Value> {
        let (first, rest) = path.split_first()?;
        rest.iter().try_fold(self.spec.get(*first)?, |value, name| value.get(*name))
    }

    /// The program.
    ///
    /// Errors: it is one for the JVM.
    fn set_program(&mut self, file: &str, py_files: &[String]) -> Result<(), ConvertError> {
        if !file.ends_with(".py") {
            return Err(ConvertError::Jvm(file.to_owned()));
        }
        let file = self.place(file);
        self.set(&["main", "python", "file"], json!(file));
        if !py_files.is_empty() {
            let files: Vec<String> = py_files.iter().map(|file| self.place(file)).collect();
            self.set(&["main", "python", "pyFiles"], json!(files));
        }
        if self.name.is_none() {
            self.name = file.rsplit('/').next().map(|name| name.trim_end_matches(".py").to_owned());
        }
        Ok(())
    }

    /// A file's place as jobs have it.
    fn place(&mut self, file: &str) -> String {
        let file = store_url(file);
        if file.starts_with("s3://") || file.starts_with("local:///") {
            return file;
        }
        self.leave_out(format!("{file} is a file of the machine that submits: put it into a bucket or the image"));
        format!("local:///{}", file.trim_start_matches("file://").trim_start_matches('/'))
    }

    fn finish(mut self) -> Result<Converted, ConvertError> {
        if self.get(&["main"]).is_none() {
            return Err(ConvertError::NoProgram);
        }
        self.settle_executors();
        let to_add = self.to_add();
        let name = object_name(self.name.as_deref().unwrap_or("job"));
        let mut metadata = json!({ "name": name });
        if let Some(namespace) = &self.namespace {
            metadata["namespace"] = json!(namespace);
        }
        let job = json!({
            "apiVersion": "firesteel.dev/v1alpha1",
            "kind": "SparkJob",
            "metadata": metadata,
            "spec": self.spec,
        });
        Ok(Converted { job, left_out: self.left_out, to_add })
    }

    /// An image with Spark for the JVM, whatever it is called, has no Firesteel in it.
    fn set_image(&mut self, image: &str) {
        self.leave_out(format!(
            "the image {image}: make one FROM firesteel with what the job needs, and set spec.image"
        ));
    }

    fn to_add(&self) -> Vec<String> {
        let wants_none = self.get(&["executor", "count"]) == Some(&json!(0));
        let place = "storage.shuffle.url, a folder of a bucket such as s3://lake/shuffle: without it the job has no \
                     executors, and its driver computes alone";
        if wants_none { Vec::new() } else { vec![place.to_owned()] }
    }

    /// A number of executors and bounds of one exclude each other: bounds win, as in Spark.
    fn settle_executors(&mut self) {
        let is_elastic = self.get(&["executor", "elastic", "enabled"]) == Some(&json!(true));
        let Some(Value::Object(executor)) = self.spec.get_mut("executor") else { return };
        let elastic = executor.remove("elastic");
        let (true, Some(Value::Object(mut elastic))) = (is_elastic, elastic) else { return };
        elastic.remove("enabled");
        let count = executor.remove("count");
        if let Some(count) = count {
            elastic.entry("initial").or_insert(count);
        }
        if !elastic.contains_key("max") {
            elastic.insert("max".to_owned(), json!(1000));
            self.left_out.push("there is no upper bound of executors: executor.elastic.max is set to 1000".to_owned());
        }
        executor.insert("elastic".to_owned(), Value::Object(elastic));
    }
}

/// `s3a://` and `s3n://` are Hadoop's names of `s3://`.
fn store_url(url: &str) -> String {
    match url.split_once("://") {
        Some(("s3a" | "s3n", rest)) => format!("s3://{rest}"),
        _ => url.to_owned(),
    }
}

/// A name that the API takes: lower case, digits and dashes, at most 50.
fn object_name(text: &str) -> String {
    let plain: String =
        text.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).take(50).collect();
    let plain = plain.trim_matches('-');
    if plain.is_empty() { "job".to_owned() } else { plain.to_owned() }
}

/// Memory as Spark writes it, as Kubernetes writes it: `4g` is `4Gi`. Nothing if it cannot be read.
fn memory_mib(text: &str) -> Option<u64> {
    let text = text.trim().to_ascii_lowercase();
    let text = text.strip_suffix('b').unwrap_or(&text);
    let text = text.strip_suffix('i').unwrap_or(text);
    let (number, mib) = [("k", 0), ("m", 1), ("g", 1024), ("t", 1024 * 1024)]
        .into_iter()
        .find_map(|(unit, mib)| text.strip_suffix(unit).map(|number| (number, mib)))
        .unwrap_or((text, 1));
    let number: u64 = number.trim().parse().ok()?;
    Some(if mib == 0 { number.div_ceil(1024) } else { number.checked_mul(mib)? }).filter(|mib| *mib > 0)
}

fn memory_text(mib: u64) -> String {
    if mib.is_multiple_of(1024) { format!("{}Gi", mib / 1024) } else { format!("{mib}Mi") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_rewritten() {
        for (spark, kubernetes) in
            [("4g", "4Gi"), ("512m", "512Mi"), ("1536M", "1536Mi"), ("2GB", "2Gi"), ("1024", "1Gi")]
        {
            assert_eq!(memory_mib(spark).map(memory_text).as_deref(), Some(kubernetes), "{spark}");
        }
        assert_eq!(memory_mib("much"), None);
    }

    #[test]
    fn names_are_made_fit() {
        assert_eq!(object_name("My Job_2.py"), "my-job-2-py");
        assert_eq!(object_name("__"), "job");
        assert_eq!(object_name(&"x".repeat(99)).len(), 50);
    }
}
