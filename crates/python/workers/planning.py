"""PySpark's daemon over PySpark's workers for planning: every request names the module that answers it."""

import importlib
import sys
import types

from pyspark.daemon import manager
from pyspark.serializers import UTF8Deserializer


def main(infile, outfile):
    try:
        name = UTF8Deserializer().loads(infile)
    except EOFError:
        sys.exit(-1)
    importlib.import_module(name).main(infile, outfile)


module = types.ModuleType("pyspark.planning")
module.main = main
sys.modules[module.__name__] = module
sys.argv[1:] = [module.__name__]
manager()
