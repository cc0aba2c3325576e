from tests.bench.cold_start import package_of, slowest

WRITTEN = """\
import time: self [us] | cumulative | imported package
import time:       300 |        300 |   flask.typing
import time:      1200 |       1500 | flask
import time:      2000 |       2000 |     google.cloud.firestore_v1.types
import time:       100 |       2100 | google.cloud.firestore_v1
something else on the error stream
"""


def test_a_package_costs_what_its_own_modules_take() -> None:
    """What it imports from others is counted with them, so that the parts add up to the whole."""
    assert slowest(WRITTEN) == [("google.cloud.firestore_v1", 0.0021), ("flask", 0.0015)]


def test_googles_shared_name_space_is_told_apart() -> None:
    """`google` alone would hide which client is slow."""
    assert package_of("google.cloud.tasks_v2.types.task") == "google.cloud.tasks_v2"
    assert package_of("grpc._cython") == "grpc"
