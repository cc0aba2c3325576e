import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.infra.configuration import ROOT, TERRAFORM

SHARED = Path(os.environ.get("DAYBOOK_SHARED", ROOT.parent / "shared"))  # noqa: TID251 - where a tool may stand, no setting
TOOL = SHARED / "terraform-offline" / "tf-offline"
FOLDERS = [TERRAFORM / "environments" / "dev", TERRAFORM / "environments" / "prod", TERRAFORM / "modules" / "house"]
"""Between them they use every module."""


@pytest.mark.skipif(not TOOL.exists(), reason="terraform's stand-in providers (DAYBOOK_SHARED) are not on this machine")
@pytest.mark.skipif(shutil.which("terraform") is None, reason="terraform is not on this machine's PATH")
@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: f"{folder.parent.name}-{folder.name}")
def test_terraform_accepts_it_and_its_own_tests_pass(folder: Path) -> None:
    """Formatted, valid against the providers' schemas, and held by `terraform test` where there are tests."""
    command = (str(TOOL), "check", "--copy-root", str(ROOT), str(folder))
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)  # noqa: S603 - our own words
    assert done.returncode == 0, done.stdout + done.stderr
