"""TPC-H: its tables, generated once for each scale, and its queries, taken from Spark's own test resources."""

import os
import re
import subprocess
import sys
import urllib.request
import zipfile
from pathlib import Path

SPARK_VERSION = "4.2.0"
RESOURCES = f"org/apache/spark/spark-sql_2.13/{SPARK_VERSION}/spark-sql_2.13-{SPARK_VERSION}-test-sources.jar"
TABLES = ["customer", "lineitem", "nation", "orders", "part", "partsupp", "region", "supplier"]


def tables(cache: Path, scale: str, parts: int) -> Path:
    """The folder with one folder of Parquet files for each table."""
    folder = cache / f"tpch-{scale}"
    done = folder / ".complete"
    if not done.exists():
        generate = [str(Path(sys.executable).parent / "tpchgen-cli"), "parquet", "--scale-factor", scale]
        for table in TABLES:
            split = ["--parts", str(parts)] if table in ("lineitem", "orders", "partsupp") else ["--parts", "1"]
            subprocess.run([*generate, "--tables", table, *split, "--output-dir", str(folder)], check=True, timeout=1800)
        done.touch()
    return folder


def queries(cache: Path) -> dict[str, str]:
    """The 22 queries by name (q1 to q22)."""
    texts = {}
    with zipfile.ZipFile(resources(cache)) as jar:
        for name in jar.namelist():
            match = re.fullmatch(r"tpch/(q\d+)\.sql", name)
            if match:
                texts[match.group(1)] = jar.read(name).decode()
    return dict(sorted(texts.items(), key=lambda item: int(item[0][1:])))


def resources(cache: Path) -> Path:
    """Spark's test resources: a Maven artifact, fetched once."""
    jar = cache / Path(RESOURCES).name
    if not jar.exists():
        base = os.environ.get("MAVEN_REPOSITORY", "https://repo1.maven.org/maven2")
        cache.mkdir(parents=True, exist_ok=True)
        partial = jar.with_suffix(".part")
        with urllib.request.urlopen(f"{base}/{RESOURCES}", timeout=300) as response:
            partial.write_bytes(response.read())
        partial.rename(jar)
    return jar
