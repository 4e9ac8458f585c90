"""Identifiers: what they look like, and the aggregate keys they make.

Accounts are CAIP-10 (`eip155:1:0xab…`), assets CAIP-19 (`eip155:1/erc20:0x…`). An incident is `<product>/<n>`, a claim
`<cover>/<n>`, a case `incident/<incident>` or `claim/<claim>`; a cover that a pool sold is `<pool>.<n>`. A payout is
`<claim>/<n>`, or `pool:<pool>/<n>` for capital that leaves and `stake:<account>/<n>` for stake that leaves. The key of
an aggregate is its kind, a slash and its id. EVM addresses are spelled in lower case, so that one account has one
spelling.
"""

from typing import Annotated, Literal

from pydantic import Field

from .problems import spelled

_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
_LETTERS = "letters, digits, dots, underscores and hyphens, beginning with a letter or digit"
_CHAIN = r"[-a-z0-9]{3,8}:[-_a-zA-Z0-9]{1,32}"
_NOT_UPPER_HEX = r"(?:0x[0-9a-f]{40}|[1-9A-HJ-NP-Za-km-z][-.%a-zA-Z0-9]{0,127})"

Name = Annotated[str, spelled(rf"^{_NAME}$", f"1 to 64 {_LETTERS}")]
"""1 to 64 letters, digits, dots, underscores and hyphens, beginning with a letter or digit."""
ProductId = Name
CoverId = Name
PrincipalId = Name
PoolId = Annotated[str, spelled(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,49}$", f"1 to 50 {_LETTERS}")]
"""A name of at most 50 characters, so that the covers a pool sells have names too."""
GroupId = Name
AccountId = Annotated[
    str,
    spelled(
        rf"^{_CHAIN}:{_NOT_UPPER_HEX}$",
        "an account of CAIP-10, such as eip155:1:0x00000000000000000000000000000000000000aa (in lower case)",
    ),
]
"""CAIP-10, the EVM address in lower case."""
AssetId = Annotated[
    str,
    spelled(
        rf"^{_CHAIN}/[-a-z0-9]{{3,8}}:[-.%a-zA-Z0-9]{{1,128}}$",
        "an asset of CAIP-19, such as eip155:1/slip44:60 or eip155:1/erc20:0x00000000000000000000000000000000000000bb",
    ),
]
"""CAIP-19."""
_Numbered = Annotated[
    str, spelled(rf"^{_NAME}/[1-9][0-9]{{0,8}}$", "a name, a slash and a number from 1, such as vault/1")
]
IncidentId = _Numbered
ClaimId = _Numbered
PayoutId = Annotated[
    str,
    spelled(
        rf"^(?:{_NAME}/[1-9][0-9]{{0,8}}|pool:{_NAME}|stake:{_CHAIN}:{_NOT_UPPER_HEX})/[1-9][0-9]{{0,8}}$",
        "<claim>/<n>, pool:<pool>/<n> or stake:<account>/<n>, such as harbor.1/1/1",
    ),
]
CaseId = Annotated[
    str,
    spelled(
        rf"^(?:incident|claim)/{_NAME}/[1-9][0-9]{{0,8}}$",
        "incident/<incident> or claim/<claim>, such as incident/vault/1",
    ),
]
RulebookId = Annotated[str, spelled(rf"^{_NAME}@[1-9][0-9]{{0,8}}$", "a name, @ and a version, such as house@1")]
"""`name@version`."""
Hex32 = Annotated[str, spelled(r"^[0-9a-f]{64}$", "64 hexadecimal digits in lower case")]
"""32 bytes in hex."""
Sha256 = Hex32
Text = Annotated[str, Field(min_length=1, max_length=4000)]
TransactionId = Annotated[str, Field(min_length=1, max_length=200)]
"""A transfer on its chain. Of money that came in, whoever vouches for the input says that it is there."""
Subject = Literal["incident", "claim"]
"""What a case is about."""


def scope_key(scope: str) -> str:
    """Name the aggregate of a governance scope."""
    return f"scope/{scope}"


def product_key(product: str) -> str:
    """Name the aggregate that holds a product's incidents."""
    return f"product/{product}"


def cover_key(cover: str) -> str:
    """Name the aggregate that holds a cover and its claims."""
    return f"cover/{cover}"


def pool_key(pool: str) -> str:
    """Name the aggregate of a pool."""
    return f"pool/{pool}"


def assessor_key(account: str) -> str:
    """Name the aggregate of an account in its part as an assessor."""
    return f"assessor/{account}"


def case_key(case: str) -> str:
    """Name the aggregate of a case."""
    return f"case/{case}"


def payout_key(payout: str) -> str:
    """Name the aggregate of a payout."""
    return f"payout/{payout}"


def parent(identifier: str) -> str:
    """Drop the last part: the product of an incident, the cover of a claim, the claim of a payout."""
    return identifier.rpartition("/")[0]
