"""Pickles what moto keeps in memory, which moto did not make for it."""

import copyreg
import dataclasses
import dis
import importlib
import io
import itertools
import marshal
import operator
import pickle
import sys
import threading
import weakref
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Collection, Mapping
from types import CellType, FunctionType
from typing import Any, get_args

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from moto.core.base_backend import AccountSpecificBackend, BackendDict, BaseBackend
from moto.s3.models import FakeKey

from local_aws import config
from local_aws.bodies import Bodies, Body

type Key = tuple[str, str, str]  # where a backend is: in which registry, of which account and region


def registries() -> dict[str, BackendDict]:
    """moto's BackendDicts that hold anything, each by the name of the variable it is in."""
    found: dict[str, BackendDict] = {}
    for name, module in sorted(sys.modules.items()):
        if name.startswith("moto.") and name.endswith(".models"):
            for variable, value in list(vars(module).items()):
                if isinstance(value, BackendDict) and value and value not in found.values():
                    found[f"{name}:{variable}"] = value
    return found


def registry(name: str) -> BackendDict:
    """The BackendDict of that name."""
    module, variable = name.split(":")
    return getattr(importlib.import_module(module), variable)


def backends() -> dict[Key, BaseBackend]:
    """Every backend there is."""
    return {
        (name, account, region): backend
        for name, accounts in registries().items()
        for account, regions in list(accounts.items())
        for region, backend in list(regions.items())
    }


class Pickler(pickle.Pickler):
    """Pickles backends by their place, S3's objects without their bytes, and what pickle by itself refuses."""

    dispatch_table: Any = copyreg.dispatch_table | {
        type(threading.Lock()): lambda _: (threading.Lock, ()),
        type(threading.RLock()): lambda _: (threading.RLock, ()),
        weakref.ReferenceType: lambda reference: (weakref.ref, (reference(),)),
        weakref.WeakValueDictionary: lambda known: (weakref.WeakValueDictionary, (), dict(known), None, None, _update),
        CellType: lambda cell: (CellType, (), cell.cell_contents, None, None, _fill_cell),
    }

    def __init__(self, file: io.BytesIO, bodies: Bodies) -> None:
        super().__init__(file, protocol=pickle.HIGHEST_PROTOCOL)
        self.names: set[str] = set()  # of the bodies that the pickle refers to
        self.unwritten: list[tuple[FakeKey, Body, bytes]] = []
        self._bodies = bodies
        self._places = {id(backend): key for key, backend in backends().items()}

    def reducer_override(self, value: Any) -> Any:
        """How to pickle `value`, NotImplemented where pickle knows."""
        kind = type(value)
        if kind not in _BY_TYPE:
            _BY_TYPE[kind] = next((how for base, how in _BY_BASE.items() if issubclass(kind, base)), None)
        how = _BY_TYPE[kind]
        return how(self, value) if how else NotImplemented

    def backend(self, backend: BaseBackend) -> Any:
        key = self._places.get(id(backend))
        return (_backend, key) if key else NotImplemented

    def registry(self, accounts: BackendDict) -> Any:
        return (registry, (next(name for name, known in registries().items() if known is accounts),))

    def regions(self, regions: AccountSpecificBackend) -> Any:
        for name, account, _ in backends():
            if registry(name)[account] is regions:
                return (_regions, (name, account))
        return NotImplemented

    def object(self, key: FakeKey) -> Any:
        state = {name: value for name, value in vars(key).items() if name != "lock"}
        body = state["_value_buffer"]
        if key.disposed:
            state["_value_buffer"] = io.BytesIO()
        elif not isinstance(body, Body):
            state["_value_buffer"] = body = self._bodies.new()
            self.unwritten.append((key, body, key.value))
        return copyreg.__newobj__, (FakeKey,), state, None, None, _set_object  # type: ignore[attr-defined]

    def body(self, body: Body) -> Any:
        self.names.add(body.path.name)
        return _body, (body.path.name,)

    def mapping(self, mapping: dict[Any, Any]) -> Any:
        # Without the methods that the class may have in the place of dict's.
        keys = (OrderedDict if isinstance(mapping, OrderedDict) else dict).__iter__(mapping)
        items = {key: dict.__getitem__(mapping, key) for key in keys}
        state = (items, getattr(mapping, "__dict__", {}), getattr(mapping, "default_factory", None))
        return copyreg.__newobj__, (type(mapping),), state, None, None, _set_mapping  # type: ignore[attr-defined]

    def function(self, function: FunctionType) -> Any:
        if "<locals>" not in function.__qualname__ and "<lambda>" not in function.__qualname__:
            return NotImplemented
        code = marshal.dumps(function.__code__)
        return _function, (code, function.__module__, function.__name__, function.__defaults__, function.__closure__)

    def private_key(self, key: Any) -> Any:
        form, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        return _private_key, (key.private_bytes(serialization.Encoding.DER, form, plain),)

    def certificate(self, certificate: x509.Certificate) -> Any:
        return _certificate, (certificate.public_bytes(serialization.Encoding.DER),)


_BY_BASE: dict[type, Callable[[Pickler, Any], Any]] = {
    BaseBackend: Pickler.backend,
    BackendDict: Pickler.registry,
    AccountSpecificBackend: Pickler.regions,
    FakeKey: Pickler.object,
    Body: Pickler.body,
    dict: Pickler.mapping,
    FunctionType: Pickler.function,
    x509.Certificate: Pickler.certificate,
    **dict.fromkeys(get_args(PrivateKeyTypes), Pickler.private_key),
}


# What has been found out about each type; of these, pickle knows.
_BY_TYPE: dict[type, Callable[[Pickler, Any], Any] | None] = {OrderedDict: None, defaultdict: None}


def layout() -> dict[str, list[str]]:
    """The classes of ours that have been pickled, and the attributes that objects of each have."""
    kinds = {type(backend) for backend in backends().values()} | _BY_TYPE.keys()
    return {f"{kind.__module__}:{kind.__qualname__}": _attributes(kind) for kind in kinds if _is_ours(kind)}


def differences(known: Mapping[str, Collection[str]]) -> list[str]:
    """The classes of an earlier `layout` whose objects have other attributes by now; a backend may have got more."""
    found = []
    for name, attributes in known.items():
        module, qualified = name.split(":")
        try:
            kind = operator.attrgetter(qualified)(importlib.import_module(module))
        except (ImportError, AttributeError):
            found.append(qualified)
            continue
        gone, new = set(attributes) - set(_attributes(kind)), set(_attributes(kind)) - set(attributes)
        if gone or (new and not issubclass(kind, BaseBackend)):
            found.append(qualified)
    return found


def _attributes(kind: type) -> list[str]:
    """What the methods of a class of ours, and of those of ours that it extends, assign to self."""
    found = set(getattr(kind, "_fields", ()))  # of a named tuple
    if dataclasses.is_dataclass(kind):
        found |= {field.name for field in dataclasses.fields(kind)}
    for method in [value for base in kind.__mro__ if _is_ours(base) for value in vars(base).values()]:
        if isinstance(method, FunctionType):
            steps = list(dis.get_instructions(method))
            for before, step in itertools.pairwise(steps):
                if step.opname == "STORE_ATTR" and before.argval == "self":
                    found.add(step.argval)
    return sorted(found)


def _is_ours(kind: type) -> bool:
    return kind.__module__.partition(".")[0] == "local_aws"


# What the pickles call when they are read; renamed, they can be read no more.


def _backend(name: str, account: str, region: str) -> BaseBackend:
    return registry(name)[account][region]


def _regions(name: str, account: str) -> AccountSpecificBackend:
    return registry(name)[account]


def _body(name: str) -> Body:
    return Bodies(config.current().state_dir / "objects").named(name)


def _set_object(key: FakeKey, state: dict[str, Any]) -> None:
    vars(key).update(state, lock=threading.Lock())


def _set_mapping(mapping: dict[Any, Any], state: tuple[dict[Any, Any], dict[str, Any], Any]) -> None:
    items, attributes, default_factory = state
    put = (OrderedDict if isinstance(mapping, OrderedDict) else dict).__setitem__
    for key, value in items.items():
        put(mapping, key, value)
    if attributes:
        vars(mapping).update(attributes)
    if default_factory is not None:
        mapping.default_factory = default_factory  # type: ignore[attr-defined]


def _update(known: weakref.WeakValueDictionary[Any, Any], items: dict[Any, Any]) -> None:
    known.update(items)


def _fill_cell(cell: CellType, contents: Any) -> None:
    cell.cell_contents = contents


def _function(
    code: bytes, module: str, name: str, defaults: tuple[Any, ...] | None, closure: tuple[CellType, ...] | None
) -> FunctionType:
    return FunctionType(marshal.loads(code), vars(importlib.import_module(module)), name, defaults, closure)


def _private_key(der: bytes) -> PrivateKeyTypes:
    return serialization.load_der_private_key(der, password=None)


def _certificate(der: bytes) -> x509.Certificate:
    return x509.load_der_x509_certificate(der)
