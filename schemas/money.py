"""Money: integers in base units, decimal strings on the wire, never floats.

JSON numbers lose units above 2^53, so an amount travels as a string of decimal digits; 2^256 - 1 is the largest, as in
an EVM word.
"""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PlainSerializer, ValidationInfo, WithJsonSchema
from pydantic_core import PydanticCustomError

AMOUNT_MINOR_MAX = 2**256 - 1
_DIGITS_MAX = 78
WHOLE_BPS = 10_000


def _validate(value: Any, info: ValidationInfo) -> int:  # noqa: ANN401 - a validator is handed anything
    if type(value) is int and info.mode == "python":
        amount = value
    elif type(value) is str and value.isascii() and value.isdigit() and len(value) <= _DIGITS_MAX:
        amount = int(value) if value == "0" or value[0] != "0" else -1
    else:
        amount = -1
    if 0 <= amount <= AMOUNT_MINOR_MAX:
        return amount
    kind = "amount_minor"
    message = "must be a string of decimal digits, whole base units without sign or leading zero, below 2^256"
    raise PydanticCustomError(kind, message)


AmountMinor = Annotated[
    int,
    BeforeValidator(_validate),
    PlainSerializer(str, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": "^(0|[1-9][0-9]{0,77})$"}),
]
"""An amount in base units: `int` in code, decimal string on the wire, 0 to 2^256 - 1."""
PositiveAmountMinor = Annotated[AmountMinor, Field(gt=0)]
"""An amount above zero."""
BasisPoints = Annotated[int, Field(ge=0, le=WHOLE_BPS)]
"""A share in 1/10,000."""


def share_down(amount_minor: int, share_bps: int) -> int:
    """Return the share of an amount, rounded down; what is cut off stays with the payer of the share."""
    return amount_minor * share_bps // WHOLE_BPS
