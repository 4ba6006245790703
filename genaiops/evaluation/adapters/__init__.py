"""Measures of other libraries, under their own names: `ragas:<metric>`, `deepeval:<metric>`, `mlflow:<scorer>`.

A library is imported when one of its measures is named, and its telemetry is switched off before.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING

from genaiops.errors import ConfigurationError

if TYPE_CHECKING:
    from genaiops.evaluation.records import Measure
    from genaiops.evaluation.tools import Tools

QUIET = {
    "RAGAS_DO_NOT_TRACK": "true",
    "DEEPEVAL_TELEMETRY_OPT_OUT": "1",
    "DEEPEVAL_DISABLE_DOTENV": "1",  # a .env of the working folder is not ours to read
    "DEEPEVAL_FILE_SYSTEM": "READ_ONLY",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_MODEL_CATALOG_URI": "",  # otherwise it fetches a list of prices from github.com at the first call
    "DO_NOT_TRACK": "true",
}
# prefix: (module here, the package it needs, how to get it)
_LIBRARIES: Mapping[str, tuple[str, str, str]] = {
    "ragas": ("ragas_metrics", "ragas", "pip install 'genaiops[ragas]'"),
    "deepeval": ("deepeval_metrics", "deepeval", "pip install deepeval"),
    "mlflow": ("mlflow_scorers", "mlflow", "pip install mlflow"),
}


def adapter_measure(prefix: str, name: str, tools: Tools) -> Measure:
    """The measure `<prefix>:<name>`, judged by the model that `evaluation.judge` names.

    Raises ConfigurationError when the library is missing (with the command that installs it) or does not import
    (with its words), when it has no such metric, or when no judge is configured.
    """
    module, package, install = _LIBRARIES[prefix]
    os.environ.update(QUIET)
    make: Callable[[str, Tools], Measure] = import_module(f"{__name__}.{module}").measure
    try:
        return make(name, tools)
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] == package:
            raise ConfigurationError(f"measure '{prefix}:{name}' needs {package}", remedy=install) from None
        raise _broken(prefix, name, package, error) from None
    except ImportError as error:
        raise _broken(prefix, name, package, error) from None


def _broken(prefix: str, name: str, package: str, error: ImportError) -> ConfigurationError:
    return ConfigurationError(
        f"measure '{prefix}:{name}': {package} does not import: {error}",
        remedy="install the versions of constraints.txt beside it",
    )
