"""Where documents may be."""

import pytest

from shared.ports import platform_ref, tenant_ref
from tests.builders import ACME


@pytest.mark.parametrize("key", ["", ".", "..", "a/b", "__a__", "____", "k" * 1_001])
def test_a_key_that_the_store_cannot_keep_is_no_place(key: str) -> None:
    """Reserved by Firestore, too long, or another place than it says."""
    with pytest.raises(ValueError, match="key"):
        tenant_ref(ACME, "accounts", key)
    with pytest.raises(ValueError, match="key"):
        platform_ref("directory", key)
