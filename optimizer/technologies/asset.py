"""What does an asset take from the technology library, and does what it says fit the record?"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Annotated, Any, get_args

from pydantic import BaseModel, Field, ValidationInfo, WithJsonSchema, field_validator, model_validator
from pydantic_core import PydanticCustomError

from optimizer.ageing.schema import Ageing
from optimizer.asset import Asset
from optimizer.technologies.record import Quality, Technology, Value, known_technologies

Name = Annotated[str, WithJsonSchema({"type": "string", "enum": list(known_technologies())})]
Reason = Annotated[str, Field(min_length=1)]
CURRENCY = "currency"
"""Key of the validation context that says in which currency the site counts."""


@dataclass(frozen=True)
class Used:
    """One value of an asset beside its record."""

    field: str
    given: float
    record: Value
    size: float

    @property
    def is_of_library(self) -> bool:
        """Whether the asset has the library's value, filled in or given alike."""
        return self.record.value is not None and self.given == self.record.value * self.size

    @property
    def is_allowed(self) -> bool:
        """Whether the value lies within the record's range."""
        return self.record.allows(self.given, self.size)

    @property
    def range_text(self) -> str:
        """The range for an asset of this size."""
        low, high = (bound * self.size for bound in self.record.range)
        return f"{low:g} to {high:g}"


class TechnologyAsset(Asset):
    """An asset that may take values from the technology library."""

    technology: Name | None = None
    """Record of the technology library whose values are taken where none are given; default: none."""
    range_override_reason: Reason | None = None
    """Why values outside the record's ranges are right; with it they are accepted, and said."""

    @model_validator(mode="before")
    @classmethod
    def _fill_in(cls, values: Any, info: ValidationInfo) -> Any:
        record = known_technologies().get(str(values.get("technology"))) if isinstance(values, Mapping) else None
        if record is None or record.type != _type_of(cls):
            return values
        currency = info.context.get(CURRENCY) if info.context else None
        return _filled(dict(values), record, currency if isinstance(currency, str) else None)

    @field_validator("technology")
    @classmethod
    def _is_a_record_of_this_type(cls, value: str | None) -> str | None:
        kind, library = _type_of(cls), known_technologies()
        if value is None or (value in library and library[value].type == kind):
            return value
        fitting = [name for name, record in library.items() if record.type == kind]
        close = get_close_matches(value, list(library), 1, cutoff=0.6)
        problem = "not a technology of the library"
        if value in library:
            problem = f"is a technology of type {library[value].type}, and this asset is of type {kind}"
        hint = f'Did you mean "{close[0]}"? ' if close and close[0] != value else ""
        words = {"problem": problem, "remedy": f"{hint}Known for {kind}: {', '.join(fitting)}."}
        raise PydanticCustomError("fault", "{problem}", words)

    @field_validator("*")
    @classmethod
    def _is_within_range(cls, value: Any, info: ValidationInfo) -> Any:
        record = known_technologies().get(str(info.data.get("technology")))
        if record is None or record.type != _type_of(cls) or info.data.get("range_override_reason") is not None:
            return value
        for used in _values_of(record, str(info.field_name), value, info.data):
            if not used.is_allowed:
                name = used.field.partition(".")[2]
                problem = f"{f'{name} ' if name else ''}must be {used.range_text} for technology {record.id}"
                remedy = "If it is right all the same, say why in range_override_reason."
                raise PydanticCustomError("fault", "{problem}", {"problem": problem, "remedy": remedy})
        return value

    def used_values(self) -> Iterator[Used]:
        """Every value of the asset that its record says something about, filled in or given."""
        record = known_technologies().get(str(self.technology))
        if record is not None:
            data = {name: getattr(self, name) for name in type(self).model_fields}
            for name, value in data.items():
                yield from _values_of(record, name, value, data)

    def used_cost(self, currency: str) -> tuple[float, Quality, str] | None:
        """The library's replacement cost with its quality and date, where the asset has it."""
        record, ageing = known_technologies().get(str(self.technology)), getattr(self, "ageing", None)
        cost = None if record is None else record.cost_in(currency)
        if cost is None or ageing is None or ageing.replacement_cost_per_kwh != cost.replacement_cost_per_kwh:
            return None
        return cost.replacement_cost_per_kwh, cost.quality, cost.date


def lacks_cost(values: Mapping[str, Any], currency: str) -> str | None:
    """Why the library cannot price the wear of an asset as a site file says it, or nothing if it need not or can."""
    record = known_technologies().get(str(values.get("technology")))
    ageing = values.get("ageing") or {}
    has_own = values.get("throughput_cost_per_mwh") is not None or not isinstance(ageing, Mapping)
    if record is None or not record.ageing or has_own or "replacement_cost_per_kwh" in ageing:
        return None
    if record.cost_in(currency) is not None:
        return None
    known = [f"{cost.currency} ({cost.date})" for cost in record.costs]
    told = f"only one in {' and '.join(known)}, which is not converted" if known else "none in any currency"
    return f"the library has no replacement cost in {currency} for it, {told}"


def _type_of(schema: type[BaseModel]) -> str:
    """What a schema's field `type` says."""
    return str(get_args(schema.model_fields["type"].annotation)[0])


def _filled(values: dict[str, Any], record: Technology, currency: str | None) -> dict[str, Any]:
    """What a site file says of an asset, with the library's values where it says nothing."""
    for name, known in record.fields.items():
        size = known.size_of(values)
        if known.value is not None and size is not None and values.get(name) is None:
            values[name] = known.value * size
    ageing, cost = values.get("ageing"), record.cost_in(currency)
    if not record.ageing or values.get("throughput_cost_per_mwh") is not None:
        return values
    if ageing is None and cost is not None:
        values["ageing"] = _filled_ageing({"replacement_cost_per_kwh": cost.replacement_cost_per_kwh}, record)
    elif isinstance(ageing, Mapping):
        costs = {} if cost is None else {"replacement_cost_per_kwh": cost.replacement_cost_per_kwh}
        values["ageing"] = _filled_ageing(costs | dict(ageing), record)
    return values


def _filled_ageing(ageing: dict[str, Any], record: Technology) -> dict[str, Any]:
    known = {name: value.value for name, value in record.ageing.items() if value.value is not None}
    if "cycle_coefficient" in ageing:
        known.pop("cycle_life_count", None)
    return known | ageing


def _values_of(record: Technology, name: str, value: Any, data: Mapping[str, Any]) -> Iterator[Used]:
    """A field's value, or the values of its section `ageing`, beside what the record says of them."""
    if isinstance(value, Ageing):
        for inner, known in record.ageing.items():
            given = getattr(value, inner, None)
            if given is not None:
                yield Used(f"{name}.{inner}", float(given), known, 1.0)
    elif name in record.fields and isinstance(value, int | float):
        known = record.fields[name]
        size = known.size_of(data)
        if size is not None:
            yield Used(name, float(value), known, size)
