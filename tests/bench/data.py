"""TPC-H: its tables, generated once for each scale, and its queries, taken from Spark's own test resources."""

import re
import subprocess
import sys
import zipfile
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent.parent / "conformance"))
from golden import artifact

TABLES = ["customer", "lineitem", "nation", "orders", "part", "partsupp", "region", "supplier"]


def tables(cache: Path, scale: str, parts: int, programs: Path = Path(sys.executable).parent) -> Path:
    """The folder with one folder of Parquet files for each table; `programs` has what generates them."""
    folder = cache / f"tpch-{scale}"
    done = folder / ".complete"
    if not done.exists():
        generate = [str(programs / "tpchgen-cli"), "parquet", "--scale-factor", scale]
        for table in TABLES:
            split = ["--parts", str(parts)] if table in ("lineitem", "orders", "partsupp") else ["--parts", "1"]
            subprocess.run([*generate, "--tables", table, *split, "--output-dir", str(folder)], check=True, timeout=1800)
        done.touch()
    return folder


def queries() -> dict[str, str]:
    """The 22 queries by name (q1 to q22)."""
    texts = {}
    with zipfile.ZipFile(artifact()) as jar:
        for name in jar.namelist():
            match = re.fullmatch(r"tpch/(q\d+)\.sql", name)
            if match:
                texts[match.group(1)] = jar.read(name).decode()
    return dict(sorted(texts.items(), key=lambda item: int(item[0][1:])))
