"""Other synthesisers, each started in a Python of its own by `synthetic_others.py`; nothing of the project is imported.

    PYTHON competitors.py NAME TABLE.npz OUT.npz EPSILON DELTA

TABLE.npz holds one array of codes (0, 1, …) per column and `sizes`, their numbers of codes; OUT.npz gets the same
columns for the synthetic records, and `cpu`, the seconds used. Exit code 3: the package isn't installed.

mst, aim: the published mechanisms (McKenna, Miklau and Sheldon 2021; McKenna, Mullins, Sheldon and Miklau 2022) written
here anew on the public functions of the package `mbi`, which ships the estimation but not the mechanisms. Differences:
MST merges no rare codes (the domains are small). privbayes: the one of the package `dpmm`, as it comes.
"""

import sys
import time
from itertools import combinations
from math import exp, log, log1p, sqrt

import numpy as np

MODEL_MEGABYTES = 80
"""AIM's usual limit of its model."""
CPU_SECONDS = 600
"""AIM measures no further after so long, spends what is left of the budget on one last table, and fits to the end."""


def main(name, table, out, epsilon, delta):
    """Read, synthesise, write."""
    with np.load(table) as found:
        columns = {column: found[column] for column in found.files if column != "sizes"}
        sizes = dict(zip(columns, found["sizes"].tolist(), strict=True))
    try:
        start = time.process_time()
        records = MECHANISMS[name](columns, sizes, float(epsilon), float(delta))
    except ImportError:
        return 3
    np.savez(out, cpu=time.process_time() - start, **{column: np.asarray(values) for column, values in records.items()})
    return 0


def rho_of(epsilon, delta):
    """The largest rho that gives (epsilon, delta): Canonne, Kamath, Steinke 2020, minimised over alpha; bisection."""
    low, high = 0.0, epsilon + 1
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if delta_of(middle, epsilon) <= delta else (low, middle)
    return low


def delta_of(rho, epsilon):
    if rho == 0:
        return 0.0
    alphas = 1 + np.geomspace(1e-4, 1e4, 20_000)
    logs = [(a - 1) * (a * rho - epsilon) + a * log1p(-1 / a) - log(a - 1) for a in alphas]
    return exp(min(0.0, *logs))


# MST and AIM on mbi ---------------------------------------------------------------------------------------------------


class Measured:
    """The data with a budget: noisy marginals are kept, and a model is fitted to all of them."""

    def __init__(self, columns, sizes):
        import jax

        jax.config.update("jax_enable_x64", True)
        import mbi

        self.mbi, self.domain = mbi, mbi.Domain.fromdict(sizes)
        self.data = mbi.Dataset(columns, self.domain)
        self.random = np.random.default_rng()
        self.log, self.model = [], None

    def exact(self, clique):
        return np.asarray(self.data.project(clique).datavector())

    def measure(self, clique, sigma):
        exact = self.exact(clique)
        noisy = exact + self.random.normal(0, sigma, exact.size)
        self.log.append(self.mbi.LinearMeasurement(noisy, clique, sigma))

    def fit(self, iterations):
        warm = {} if self.model is None else {"warm_start": self.model}
        estimator = self.mbi.estimation.MirrorDescent()
        self.model = estimator.estimate(self.domain, self.log, iters=iterations, tol=1e-6, **warm)

    def estimate(self, clique):
        return np.asarray(self.model.project(clique).datavector())

    def choose(self, scores, epsilon, sensitivity):
        """The exponential mechanism: a key, with chances by exp(epsilon score / 2 sensitivity)."""
        keys, values = list(scores), np.array(list(scores.values()))
        chances = np.exp(0.5 * epsilon / sensitivity * (values - values.max()))
        return keys[self.random.choice(len(keys), p=chances / chances.sum())]

    def records(self):
        return self.model.synthetic_data().to_dict()


def mst(columns, sizes, epsilon, delta):
    """Every column alone, a spanning tree of pairs chosen by how wrong independence is, those pairs: a third each."""
    rho, run = rho_of(epsilon, delta), Measured(columns, sizes)
    for column in columns:
        run.measure((column,), sqrt(3 * len(columns) / (2 * rho)))
    run.fit(2500)
    tree = spanning_tree(run, rho / 3)
    for pair in tree:
        run.measure(pair, sqrt(3 * len(tree) / (2 * rho)))
    run.fit(10_000)
    return run.records()


def spanning_tree(run, rho):
    wrong = {pair: np.abs(run.exact(pair) - run.estimate(pair)).sum() for pair in combinations(run.domain, 2)}
    group, tree = {column: column for column in run.domain}, []
    epsilon = sqrt(8 * rho / (len(group) - 1))
    while len(tree) < len(group) - 1:
        open_pairs = {pair: score for pair, score in wrong.items() if group[pair[0]] != group[pair[1]]}
        a, b = run.choose(open_pairs, epsilon, 1.0)
        tree.append((a, b))
        old, new = group[a], group[b]
        group = {column: new if at == old else at for column, at in group.items()}
    return tree


def aim(columns, sizes, epsilon, delta):
    """Round by round the worst of all pairs and triples is measured, with noise that falls when it helps."""
    rho, run = rho_of(epsilon, delta), Measured(columns, sizes)
    weights = candidates(list(columns))
    rounds = 16 * len(columns)
    sigma, choice = sqrt(rounds / (2 * 0.9 * rho)), sqrt(8 * 0.1 * rho / rounds)
    for column in columns:
        run.measure((column,), sigma)
    spent, last = len(columns) / (2 * sigma**2), False
    run.fit(1000)
    start = time.process_time()
    while not last:
        late = time.process_time() - start > CPU_SECONDS
        if late or rho - spent < 2 * (1 / (2 * sigma**2) + choice**2 / 8):
            left, last = rho - spent, True
            sigma, choice = sqrt(1 / (2 * 0.9 * left)), sqrt(8 * 0.1 * left)
        spent += 1 / (2 * sigma**2) + choice**2 / 8
        clique = worst(run, weights, sigma=sigma, epsilon=choice, megabytes=MODEL_MEGABYTES * spent / rho)
        before = run.estimate(clique)
        run.measure(clique, sigma)
        run.fit(1000)
        if np.abs(run.estimate(clique) - before).sum() <= sigma * sqrt(2 / np.pi) * before.size:
            sigma, choice = sigma / 2, choice * 2
    run.fit(10_000)
    print(f"{len(run.log)} tables measured{', stopped for time' if late else ''}", file=sys.stderr)
    return run.records()


def candidates(columns):
    """All columns, pairs and triples, weighed by how much they share with the triples that are asked for."""
    asked = list(combinations(columns, 3))
    cliques = [c for size in (1, 2, 3) for c in combinations(columns, size)]
    return {c: sum(len(set(c) & set(triple)) for triple in asked) for c in cliques}


def worst(run, weights, *, sigma, epsilon, megabytes):
    """A table whose error is far above what noise alone would give, among those that the model can still take."""
    have = [measured.clique for measured in run.log]
    scores = {}
    for clique, weight in weights.items():
        covered = any(set(clique) <= set(other) for other in have)
        if covered or run.mbi.junction_tree.hypothetical_model_size(run.domain, [*have, clique]) <= megabytes:
            error = np.abs(run.exact(clique) - run.estimate(clique)).sum()
            scores[clique] = weight * (error - sqrt(2 / np.pi) * sigma * run.domain.size(clique))
    return run.choose(scores, epsilon, max(weights.values()))


# PrivBayes of dpmm ----------------------------------------------------------------------------------------------------


def privbayes(columns, sizes, epsilon, delta):
    """As it comes, on columns that are codes already."""
    import pandas as pd
    from dpmm.pipelines import PrivBayesPipeline

    frame = pd.DataFrame(columns)
    pipeline = PrivBayesPipeline(epsilon=epsilon, delta=delta, disable_processing=True, n_jobs=1)
    pipeline.fit(frame, domain=sizes)
    made = pipeline.generate(n_records=len(frame))
    return {column: made[column].to_numpy() for column in columns}


MECHANISMS = {"mst": mst, "aim": aim, "privbayes": privbayes}

if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]) if len(sys.argv) == 6 else 0)
