"""Values held against the types of official SDKs."""

from __future__ import annotations

from functools import cache
from typing import Any

from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel, Shape
from botocore.validate import ParamValidator
from pydantic import TypeAdapter


def known_to(adapter: TypeAdapter[Any], body: dict[str, Any]) -> dict[str, Any]:
    """What of a body the types know. Raises ValidationError where they refuse it.

    The types check lists only as they are read, and drop fields that they do not name.
    """
    return _read(adapter.validate_python(body))


def _read(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _read(part) for name, part in value.items()}
    if value is None or isinstance(value, str | int | float):
        return value
    return [_read(part) for part in value]


@cache
def operation(name: str) -> OperationModel:
    """An operation of Bedrock, as botocore knows the service."""
    model = Loader().load_service_model("bedrock-runtime", "service-2")
    return ServiceModel(model, "bedrock-runtime").operation_model(name)


def problem(value: dict[str, Any], shape: Shape) -> str:
    """What the service does not take, or does not give; empty where all is well."""
    report = ParamValidator().validate(value, shape)
    return report.generate_report() if report.has_errors() else ""
