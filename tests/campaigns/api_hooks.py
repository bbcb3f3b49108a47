"""Schemathesis' hooks: every second request names the model that is there, so that it reaches the engine. The
choice hangs on the request alone, so that a seed repeats it."""
import zlib

import schemathesis

MODEL = "tiny"


def chosen(case):
    return zlib.crc32(repr((case.path, case.body)).encode()) % 2 == 0


@schemathesis.hook
def before_call(context, case, kwargs):
    if isinstance(case.body, dict) and isinstance(case.body.get("model"), str) and chosen(case):
        case.body["model"] = MODEL
    if isinstance(case.path_parameters, dict) and "id" in case.path_parameters and chosen(case):
        case.path_parameters["id"] = MODEL
