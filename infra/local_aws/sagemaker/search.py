"""Which hyperparameter values a tuning job tries next: its ranges, searched by optuna."""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.pruners import HyperbandPruner
from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from optuna.trial import Trial, TrialState, create_trial

optuna.logging.set_verbosity(optuna.logging.WARNING)

LARGEST = 2**53  # that a whole number and a number have in common
AUTO_LOGARITHMIC = 1000  # ScalingType Auto is logarithmic for a range whose ends are this many times apart


class RangeError(Exception):
    """A range that can't be searched; the text says why."""


@dataclass(frozen=True)
class Parameter:
    """One hyperparameter's range; `reverse` where it is 1 minus its value that is searched."""

    name: str
    distribution: CategoricalDistribution | FloatDistribution | IntDistribution
    reverse: bool = False

    def text(self, found: Any) -> str:
        """A value that was found, as a training job gets it."""
        if isinstance(self.distribution, FloatDistribution):
            return repr(1 - float(found) if self.reverse else float(found))
        return str(found)

    def found(self, text: str) -> Any:
        """The other way round; None where `text` is no value of the range."""
        if isinstance(self.distribution, CategoricalDistribution):
            return text if text in self.distribution.choices else None
        try:
            number = int(text) if isinstance(self.distribution, IntDistribution) else float(text)
        except ValueError:
            return None
        value = 1 - number if self.reverse else number
        return value if self.distribution.low <= value <= self.distribution.high else None


def parameters(ranges: Mapping[str, Any]) -> list[Parameter]:
    """The hyperparameters that ParameterRanges names; RangeError where one can't be searched."""
    found = [_continuous(range_) for range_ in ranges.get("ContinuousParameterRanges") or []]
    found += [_integer(range_) for range_ in ranges.get("IntegerParameterRanges") or []]
    for range_ in ranges.get("CategoricalParameterRanges") or []:
        found.append(Parameter(range_["Name"], CategoricalDistribution(range_["Values"])))
    names = [parameter.name for parameter in found]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise RangeError(f"The hyperparameter {min(twice)} has more than one range.")
    return found


def _continuous(range_: Mapping[str, str]) -> Parameter:
    low, high = _ends(range_, float)
    scale = _scale(range_, low, high)
    if scale == "ReverseLogarithmic":
        if not 0 <= low <= high < 1:
            raise RangeError(f"{range_['Name']}: ReverseLogarithmic scaling needs a range within 0 <= x < 1.")
        return Parameter(range_["Name"], FloatDistribution(1 - high, 1 - low, log=True), reverse=True)
    return Parameter(range_["Name"], FloatDistribution(low, high, log=scale == "Logarithmic"))


def _integer(range_: Mapping[str, str]) -> Parameter:
    low, high = _ends(range_, int)
    scale = _scale(range_, low, high)
    if scale == "ReverseLogarithmic":
        raise RangeError(f"{range_['Name']}: ReverseLogarithmic scaling is for continuous hyperparameters.")
    return Parameter(range_["Name"], IntDistribution(low, high, log=scale == "Logarithmic"))


def _ends[N: (int, float)](range_: Mapping[str, str], number: type[N]) -> tuple[N, N]:
    name, low, high = range_["Name"], range_["MinValue"], range_["MaxValue"]
    try:
        ends = number(low), number(high)
    except ValueError as error:
        raise RangeError(f"{name}: MinValue {low!r} or MaxValue {high!r} is no {number.__name__}.") from error
    if not -LARGEST <= ends[0] <= ends[1] <= LARGEST:
        raise RangeError(f"{name}: MinValue {low} is to be less than MaxValue {high}, and neither beyond {LARGEST}.")
    return ends


def _scale(range_: Mapping[str, str], low: float, high: float) -> str:
    scale = range_.get("ScalingType", "Auto")
    if scale == "Auto":
        return "Logarithmic" if low > 0 and high / low >= AUTO_LOGARITHMIC else "Linear"
    if scale == "Logarithmic" and low <= 0:
        raise RangeError(f"{range_['Name']}: Logarithmic scaling needs a range of values greater than 0.")
    return scale


@dataclass
class Suggestion:
    """Values to try; `reported` is how many objectives Hyperband knows of."""

    values: Mapping[str, str]
    trial: Trial
    reported: int = 0
    given_up: bool = False


class Search:
    """The search that a HyperParameterTuningJobConfig asks for; `known` are values tried before, and what came of
    them."""

    def __init__(self, config: Mapping[str, Any], known: Iterable[tuple[Mapping[str, str], float]] = ()) -> None:
        self._parameters = parameters(config.get("ParameterRanges") or {})
        self._distributions: dict[str, BaseDistribution] = {
            parameter.name: parameter.distribution for parameter in self._parameters
        }
        self._study = optuna.create_study(
            direction="minimize" if config["HyperParameterTuningJobObjective"]["Type"] == "Minimize" else "maximize",
            sampler=_sampler(config["Strategy"], config.get("RandomSeed")),
            pruner=_pruner(config.get("StrategyConfig") or {}),
            study_name="search",  # by which Hyperband draws brackets: a name of optuna's own is another each time
        )
        if config["Strategy"] == "Grid":
            for combination in combinations(self._parameters):
                self._study.enqueue_trial(combination)
        for values, objective in known:
            self._learn(values, objective)

    def ask(self) -> Suggestion:
        """What to try next."""
        trial = self._study.ask(self._distributions)
        values = {parameter.name: parameter.text(trial.params[parameter.name]) for parameter in self._parameters}
        return Suggestion(values, trial)

    def is_to_stop(self, suggestion: Suggestion, history: Sequence[float]) -> bool:
        """Whether Hyperband gives up what has had these objectives so far, one for each unit of its resource."""
        for resource in range(suggestion.reported + 1, len(history) + 1):
            suggestion.reported = resource
            suggestion.trial.report(history[resource - 1], resource)
            suggestion.given_up = suggestion.given_up or suggestion.trial.should_prune()
        return suggestion.given_up

    def tell(self, suggestion: Suggestion, objective: float | None) -> None:
        """What came of it; None where no objective was measured."""
        if objective is None:
            self._study.tell(suggestion.trial, state=TrialState.FAIL)
        else:
            self._study.tell(suggestion.trial, objective)

    def _learn(self, values: Mapping[str, str], objective: float) -> None:
        found = {parameter.name: parameter.found(values.get(parameter.name, "")) for parameter in self._parameters}
        if None not in found.values():
            self._study.add_trial(create_trial(params=found, distributions=self._distributions, value=objective))


def combinations(searched: Iterable[Parameter]) -> list[dict[str, Any]]:
    """Every combination of categorical values, in their order."""
    choices = {}
    for parameter in searched:
        assert isinstance(parameter.distribution, CategoricalDistribution)  # AWS searches no other by grid
        choices[parameter.name] = parameter.distribution.choices
    return [dict(zip(choices, values, strict=True)) for values in itertools.product(*choices.values())]


def _sampler(strategy: str, seed: int | None) -> BaseSampler:
    seed = None if seed is None else seed % 2**32
    if strategy == "Bayesian":
        return TPESampler(seed=seed)
    return RandomSampler(seed=seed)


def _pruner(config: Mapping[str, Any]) -> HyperbandPruner:
    settings = config.get("HyperbandStrategyConfig") or {}
    return HyperbandPruner(settings.get("MinResource", 1), settings.get("MaxResource", "auto"))
