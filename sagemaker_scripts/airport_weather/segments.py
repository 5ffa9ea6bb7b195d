"""Segments of airport-days: the features that make them, the model, and the names that it gives to them."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer
from sklearn.metrics import adjusted_rand_score, silhouette_samples
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

KEY = ["flight_date", "origin"]
# Of those with a long tail the logarithm counts: a day of three inches of rain isn't thirty times one of a tenth.
SKEWED = ["departure_delay_minutes", "precipitation_inches", "cancelled_share"]
EVEN = ["late_departure_share", "wind_speed_mph", "visibility_miles", "humidity_percent"]
FEATURES = SKEWED + EVEN
# A feature's highest value that silver's audit lets pass, the lowest being 0: beyond it nothing has been measured.
HIGHEST = {
    "departure_delay_minutes": 3000,
    "precipitation_inches": 40,
    "cancelled_share": 1,
    "late_departure_share": 1,
    "wind_speed_mph": 250,
    "visibility_miles": 100,
    "humidity_percent": 100.5,
}
BADNESS = FEATURES.index("late_departure_share")  # segments are numbered by it, the best first
# What a segment is called where a feature is high or low in it.
WORDS = {
    "late_departure_share": ("late", "punctual"),
    "cancelled_share": ("cancelled", "flown"),
    "precipitation_inches": ("wet", "dry"),
    "wind_speed_mph": ("windy", "calm"),
    "visibility_miles": ("clear", "murky"),
    "humidity_percent": ("humid", "crisp"),
}
NOTABLE = 0.5
"""From how many standard deviations on a feature is worth a word; below, a day like others is ordinary."""
REPLICAS = 20


def fit(frame: pd.DataFrame, n_clusters: int, seed: int) -> Pipeline:
    """K-means on standardized features, its segments numbered from the most punctual one on."""
    scale = ColumnTransformer(
        [("skewed", make_pipeline(FunctionTransformer(np.log1p), StandardScaler()), list(range(len(SKEWED))))],
        remainder=StandardScaler(),
    )
    model = Pipeline([("scale", scale), ("segments", KMeans(n_clusters, n_init=10, random_state=seed))])
    model.fit(frame[FEATURES].to_numpy(dtype=float))
    kmeans = model["segments"]
    order = np.argsort(kmeans.cluster_centers_[:, BADNESS], kind="stable")
    kmeans.cluster_centers_ = kmeans.cluster_centers_[order]
    kmeans.labels_ = np.argsort(order)[kmeans.labels_]
    return model


def replicas(frame: pd.DataFrame, n_clusters: int, seed: int) -> Iterator[Pipeline]:
    """The same, fitted on resamples of the days: what chance alone would have made of the segments."""
    random, days = np.random.default_rng(seed), frame["flight_date"].unique()
    rows = frame.groupby("flight_date").indices
    for number in range(REPLICAS):
        drawn = np.concatenate([rows[day] for day in random.choice(days, len(days))])
        yield fit(frame.iloc[drawn], n_clusters, seed + number)


def predict(model: Pipeline, frame: pd.DataFrame) -> np.ndarray:
    """The number of each row's segment."""
    return model.predict(frame[FEATURES].to_numpy(dtype=float))


def silhouettes(model: Pipeline, frame: pd.DataFrame, segments: np.ndarray) -> np.ndarray:
    """Of each row how much nearer it is to its own segment than to the next one, -1 to 1, in the model's space; 0 where
    there is one segment only. Rousseeuw, "Silhouettes: a graphical aid", 1987."""
    if len(np.unique(segments)) < 2:
        return np.zeros(len(segments))
    return silhouette_samples(model["scale"].transform(frame[FEATURES].to_numpy(dtype=float)), segments)


def stability(model: Pipeline, fitted_again: list[Pipeline], frame: pd.DataFrame) -> np.ndarray:
    """How far each replica puts the same rows together: the adjusted Rand index, 1 where all, 0 where as by chance.

    Ben-Hur, Elisseeff and Guyon, "A stability based method for discovering structure in clustered data", 2002.
    """
    ours = predict(model, frame)
    return np.array([adjusted_rand_score(ours, predict(replica, frame)) for replica in fitted_again])


def names(model: Pipeline) -> list[str]:
    """What each segment is called: the words for its most notable features, as many as tell it from the others."""
    found: list[str] = []
    for center in model["segments"].cluster_centers_:
        by_size = sorted((-abs(center[FEATURES.index(name)]), name) for name in WORDS)
        words = [WORDS[name][int(center[FEATURES.index(name)] < 0)] for _, name in by_size]
        notable = sum(-size >= NOTABLE for size, _ in by_size)
        choices = [" and ".join(words[:count]) for count in range(min(2, notable), len(words) + 1)]
        candidates = [choice or "ordinary" for choice in choices]
        found.append(next((one for one in candidates if one not in found), f"segment {len(found)}"))
    return found
