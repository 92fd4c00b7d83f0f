"""The module that the toolchain makes a component of: the plugin and the glue around it, and nothing else."""

from . import _glue, _traces

_glue.bind()

import plugin  # noqa: E402  (the package must have the host's functions first)

globals().update(_glue.tie(plugin))
_traces.install()
