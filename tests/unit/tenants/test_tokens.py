import pytest

from shared.faults import Unauthenticated
from shared.identity import SystemIds, TenantId
from shared.tenants.model import ApiKey, KeyState, Role, Token, hash_secret, new_token
from tests.builders import ACME, NOON


def a_key(state: KeyState = KeyState.ACTIVE) -> ApiKey:
    """A kept key."""
    return ApiKey("k2", ACME, "user:ann", Role.OWNER, NOON, hash_secret("aaaa"), state)


def test_a_key_reads_as_it_was_shown() -> None:
    """Tenant, id and secret come back as they went out."""
    token = new_token(ACME, "abc234", SystemIds())
    assert Token.parse(token.text()) == token
    assert token.text().startswith("db_acme_abc234_")


def test_no_two_secrets_are_alike() -> None:
    """160 bits of chance each."""
    secrets = {new_token(ACME, "abc234", SystemIds()).secret for _ in range(100)}
    assert len(secrets) == 100
    assert {len(secret) for secret in secrets} == {32}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "db_acme_k2",
        "db_acme_k2_",
        "db__k2_aaaa",
        "db_ACME_k2_aaaa",
        "db_acme_k2_aaaa_more",
        "db_acme_../x_aaaa",
        "db_acme_k2_aaaa\n",
        f"db_acme_k2_{'a' * 65}",
    ],
)
def test_what_is_no_key_is_refused_without_repeating_it(text: str) -> None:
    """A mistyped key is still a secret."""
    with pytest.raises(Unauthenticated) as refusal:
        Token.parse(text)
    assert not text or text not in str(refusal.value)


def test_only_its_secret_opens_a_key_and_only_while_it_lives() -> None:
    """A revoked key stays shut for the right secret too."""
    assert a_key().opens("aaaa")
    assert not a_key().opens("aaab")
    assert not a_key(state=KeyState.REVOKED).opens("aaaa")


def test_neither_secret_nor_hash_is_printed() -> None:
    """A log line with a key in it gives nothing away."""
    token = Token(TenantId("acme"), "k2", "secretsecret")
    assert "secretsecret" not in repr(token)
    assert "hash" not in repr(a_key())
