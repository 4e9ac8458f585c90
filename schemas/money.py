"""Money: integers in base units, decimal strings on the wire, never floats.

JSON numbers lose units above 2^53, so an amount travels as a string of decimal digits; 2^256 - 1 is the largest, as in
an EVM word.
"""

from typing import Annotated

from pydantic import Field, GetPydanticSchema, WithJsonSchema
from pydantic_core import CoreSchema, core_schema

AMOUNT_MINOR_MAX = 2**256 - 1
WHOLE_BPS = 10_000


_KIND = "amount_minor"
_SPELLED = "^(0|[1-9][0-9]{0,77})$"


def _amount(bits: int, pattern: str, *, least: int = 0) -> tuple[GetPydanticSchema, WithJsonSchema]:
    """Accept amounts from `least` to below 2^bits, and spell `pattern` as their JSON Schema.

    Told to pydantic's core instead of in a validator of our own, which would be called back for every amount of a log;
    and with a message of our own, as pydantic's rounds large bounds.
    """
    above = " above zero" if least else ""
    must_be = (
        f"must be a string of decimal digits, whole base units{above} without sign or leading zero, below 2^{bits}"
    )

    def or_must_be(schema: CoreSchema) -> CoreSchema:
        return core_schema.custom_error_schema(schema, custom_error_type=_KIND, custom_error_message=must_be)

    in_code = core_schema.int_schema(strict=True, ge=least, lt=2**bits)
    on_the_wire = core_schema.chain_schema(
        [
            core_schema.str_schema(strict=True, pattern=_SPELLED),
            core_schema.int_schema(strict=False, ge=least, lt=2**bits),
        ]
    )
    made = core_schema.json_or_python_schema(
        json_schema=or_must_be(on_the_wire),
        python_schema=or_must_be(core_schema.union_schema([in_code, on_the_wire], mode="left_to_right")),
        serialization=core_schema.plain_serializer_function_ser_schema(
            str, return_schema=core_schema.str_schema(), when_used="json"
        ),
    )
    return GetPydanticSchema(lambda _source, _handler: made), WithJsonSchema({"type": "string", "pattern": pattern})


AmountMinor = Annotated[int, *_amount(256, _SPELLED)]
"""An amount in base units: `int` in code, decimal string on the wire, 0 to 2^256 - 1."""
PositiveAmountMinor = Annotated[int, *_amount(256, "^[1-9][0-9]{0,77}$", least=1)]
"""An amount above zero."""
BoundedAmountMinor = Annotated[int, *_amount(128, "^(0|[1-9][0-9]{0,38})$")]
"""An amount of stake, capital or cover: bounded, so that no sum of such and no product of two leaves an amount."""
PositiveBoundedAmountMinor = Annotated[int, *_amount(128, "^[1-9][0-9]{0,38}$", least=1)]
"""A bounded amount above zero."""
BasisPoints = Annotated[int, Field(ge=0, le=WHOLE_BPS)]
"""A share in 1/10,000."""


def share_down(amount_minor: int, share_bps: int) -> int:
    """Return the share of an amount, rounded down; what is cut off stays with the payer of the share."""
    return amount_minor * share_bps // WHOLE_BPS
