"""The facts about the NATIVE engine. Importing this loads no runtime."""

from oumi.backends.engine_row import EngineRow
from oumi.backends.local.native.settings import SETTINGS, SETTINGS_IN_KWARGS

ENGINE = EngineRow(
    name="NATIVE",
    class_name="NativeTextInferenceEngine",
    backend="oumi.backends.local.native.backend:NativeBackend",
    summary="Transformers on this machine, for any text or vision model of the hub",
    runtime="transformers",
    install="pip install 'oumi-infer[native]'",
    supports=SETTINGS,
    settings_in_kwargs=SETTINGS_IN_KWARGS,
)
