"""Small objects that Keras can serialise: constructor arguments kept under their own names."""

import difflib
import inspect
from typing import Any


class Configurable:
    """An object whose config is its constructor arguments, each kept as an attribute of the same name."""

    def get_config(self) -> dict:
        """Return the constructor arguments as a JSON-serialisable dict."""
        names = [name for name in inspect.signature(type(self).__init__).parameters if name != "self"]
        return {name: getattr(self, name) for name in names if hasattr(self, name)}

    @classmethod
    def from_config(cls, config: dict) -> "Configurable":
        """Return a new object from what `get_config` gave."""
        return cls(**config)

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.get_config() == other.get_config()

    __hash__ = object.__hash__

    def __repr__(self) -> str:
        arguments = ", ".join(f"{name}={value!r}" for name, value in self.get_config().items())
        return f"{type(self).__name__}({arguments})"


def lookup(value: Any, table: dict[str, type], kind: str, methods: tuple[str, ...]) -> Any:
    """Return an object of `kind` from its name in `table`, its serialised config, or the object itself."""
    if isinstance(value, str):
        if value not in table:
            raise ValueError(unknown_name(kind, value, table))
        return table[value]()
    if isinstance(value, dict):
        import keras  # Here, because error texts and file lists must not wait for TensorFlow.

        value = keras.saving.deserialize_keras_object(value)
    missing = [method for method in methods if not callable(getattr(value, method, None))]
    if missing or isinstance(value, type):
        raise ValueError(
            f"A {kind} must be one of {sorted(table)} or an object with "
            f"{' and '.join(f'{method}()' for method in methods)}; received {value!r}."
        )
    return value


def unknown_name(kind: str, name: str, known) -> str:
    """Return the error text for an unknown name, with the nearest known one suggested."""
    near = difflib.get_close_matches(name, list(known), n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    return f"Unknown {kind} {name!r}.{hint} Known: {', '.join(sorted(known)) or 'none'}."
