"""CPU seconds of linking and counting, beside the best DuckDB SQL we could write by hand for the same counts.

    python benchmarks/link_count.py [--persons 500000]

Prints both and their ratio (target: at most 3), for the work on loaded registers and for the whole way from files.
The hand-written SQL checks nothing, knows this one policy by heart, and must give the same counts to the last one.
"""

import argparse
import resource
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.csv as arrow_csv
import pyarrow.parquet as pq

from release.codes import Attribute
from release.confidential.counts import Counts, coarser_neighbours, count, finer_neighbours
from release.confidential.inputs import open_delivery
from release.confidential.link import link
from release.demo.make import make_demo
from release.policy.load import load_policy
from release.policy.policy import Combination, Policy
from release.residuals import shape_of


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--persons", type=int, default=500_000)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "demo"
        make_demo(folder, persons=arguments.parse_args().persons)
        compare(load_policy(folder / "graduates-demo.yaml"), folder)


def compare(policy: Policy, folder: Path) -> None:
    combinations = closure(policy)
    finest = [c for c, finer in finer_neighbours(combinations).items() if not finer]
    warm_up()
    delivery, opening = timed(lambda: open_delivery(policy, folder))
    linked, linking = timed(lambda: link(delivery, policy))
    counts, counting = timed(lambda: count(linked, combinations, policy.attributes))
    engine, loading = timed(lambda: load_by_hand(policy, folder))
    _, linking_by_hand = timed(lambda: engine.execute(linking_sql(policy)))
    by_hand, counting_by_hand = timed(lambda: {c: count_by_hand(engine, c, policy.attributes) for c in finest})
    check_same(counts, by_hand)
    print(f"{'CPU seconds':24}{'ours':>8}{'by hand':>9}{'ratio':>7}")
    row("open (ours: + checks)", opening, loading)
    row("link", linking, linking_by_hand)
    row("count", counting, counting_by_hand)
    row("link + count", linking + counting, linking_by_hand + counting_by_hand)
    row("all", opening + linking + counting, loading + linking_by_hand + counting_by_hand)
    print(f"{len(combinations)} combinations, {sum(t.size for t in counts.tables.values()):,} cells; the same counts")


def row(name: str, ours: float, by_hand: float) -> None:
    print(f"{name:24}{ours:8.2f}{by_hand:9.2f}{ours / by_hand:7.2f}")


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    before = cpu()
    result = work()
    return result, cpu() - before


def cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def warm_up() -> None:
    """Imports are no part of either side."""
    import ibis

    ibis.duckdb.connect().create_table("warm", pa.table({"up": [1]})).count().to_pyarrow()
    time.sleep(0.1)


def closure(policy: Policy) -> set[Combination]:
    """All combinations that the policy's tables need."""
    found: set[Combination] = set()
    todo = [policy.measured(table) for table in policy.tables.values()]
    while todo:
        combination = todo.pop()
        if combination not in found:
            found.add(combination)
            todo.extend(coarser_neighbours(combination))
    return found


def check_same(counts: Counts, by_hand: dict[Combination, np.ndarray]) -> None:
    for combination, table in by_hand.items():
        if not np.array_equal(counts.tables[combination], table):
            raise SystemExit(f"The counts of {combination} differ: the hand-written SQL is not the same job.")


# By hand ------------------------------------------------------------------------------------------------------------

LINKING = """
create table kept as
  select henkilo as p, tutkintovuosi as cohort, pr.leaf as provider, fi.leaf as field, ed.leaf as education,
    sx.leaf as sex, co.leaf as cohort_leaf
  from (
    from tutkinnot
    qualify row_number() over (
      partition by henkilo
      order by koulutusaste desc nulls last, tutkintovuosi desc nulls last, tutkintotyyppi, koulutusala,
        koulutuksen_jarjestaja, sukupuoli
    ) = 1
  )
  join codes_provider pr on pr.code = koulutuksen_jarjestaja
  join codes_field fi on fi.code = koulutusala
  join codes_education ed on ed.code = tutkintotyyppi
  join codes_sex sx on sx.code = sukupuoli
  join codes_cohort co on co.code = tutkintovuosi::varchar;

create table activities as
  select p,
    arg_max(leaf, toimitusera) filter (vuosi = cohort + 1) as a1,
    arg_max(leaf, toimitusera) filter (vuosi = cohort + 3) as a3,
    arg_max(leaf, toimitusera) filter (vuosi = cohort + 5) as a5
  from toiminta join kept on p = henkilo
  join "codes_activity-1" on code = paaasiallinen_toiminta
  group by p;

create table pays as
  select p,
    max(kuukausiansio) filter (vuosi = cohort + 1 and kuukausiansio between 0 and 100000) as e1,
    max(kuukausiansio) filter (vuosi = cohort + 3 and kuukausiansio between 0 and 100000) as e3
  from ansiot join kept on p = henkilo
  group by p;

create table answers as
  select p, arg_max({'m': tyo_vastaa_alaa, 's': taidot_riittavat, 'a': valitsisi_uudelleen}, vastausnumero) as s
  from kysely join kept on p = henkilo and vastausvuosi = cohort + 3
  group by p;

create table linked as
  select provider, field, education, sex, cohort_leaf as cohort,
    coalesce(a1, {activity-1:not-found}) as "activity-1",
    if(cohort <= 2021, coalesce(a3, {activity-3:not-found}), {activity-3:not-applicable}) as "activity-3",
    if(cohort <= 2019, coalesce(a5, {activity-5:not-found}), {activity-5:not-applicable}) as "activity-5",
    if(a1 in ({employed}), coalesce({bin:e1}, {pay-1:not-found}), {pay-1:not-applicable}) as "pay-1",
    if(cohort <= 2021 and a3 in ({employed}), coalesce({bin:e3}, {pay-3:not-found}), {pay-3:not-applicable}) as "pay-3",
    if(cohort <= 2021, coalesce(s.m - 1, {match:no-answer}), {match:not-applicable}) as "match",
    if(cohort <= 2021, coalesce(s.s - 1, {skills:no-answer}), {skills:not-applicable}) as "skills",
    if(cohort <= 2021, coalesce(s.a, {again:no-answer}), {again:not-applicable}) as "again"
  from kept left join activities using (p) left join pays using (p) left join answers using (p);
"""


def linking_sql(policy: Policy) -> str:
    """The statements above with the numbers of this policy's codes and bins."""
    edges = policy.attributes["pay-1"].edges or ()
    text = LINKING.replace("{employed}", ", ".join(map(str, sorted(policy.applicable["pay-1"]["activity-1"]))))
    for job in ("e1", "e3"):
        text = text.replace(f"{{bin:{job}}}", " + ".join(f"({job} >= {edge!r})::int" for edge in edges))
    for name, attribute in policy.attributes.items():
        for code in policy.special(name):
            text = text.replace(f"{{{name}:{code}}}", str(attribute.leaves.index[code]))
    return text


def load_by_hand(policy: Policy, folder: Path) -> duckdb.DuckDBPyConnection:
    """The four files and the code lists as tables, unchecked."""
    engine = duckdb.connect()
    latin = arrow_csv.ReadOptions(encoding="windows-1252")
    decimals = arrow_csv.ConvertOptions(decimal_point=",", column_types={"kuukausiansio": pa.float64()})
    registers = {
        "tutkinnot": pq.read_table(folder / "tutkinnot.parquet"),
        "toiminta": pq.read_table(folder / "toiminta.parquet"),
        "kysely": arrow_csv.read_csv(folder / "kysely.csv"),
        "ansiot": arrow_csv.read_csv(folder / "ansiot.csv", latin, arrow_csv.ParseOptions(delimiter=";"), decimals),
    }
    lists = {f"codes_{name}": code_list(policy, name) for name in ("provider", "field", "education", "sex", "cohort")}
    for name, table in {**registers, **lists, "codes_activity-1": code_list(policy, "activity-1")}.items():
        engine.register("arrow", table)
        engine.execute(f'create table "{name}" as from arrow')
        engine.unregister("arrow")
    return engine


def code_list(policy: Policy, name: str) -> pa.Table:
    index = policy.attributes[name].leaves.index
    known = index | {old: index[new] for old, new in policy.replace.get(name, {}).items()}
    return pa.table({"code": list(known), "leaf": list(known.values())})


def count_by_hand(
    engine: duckdb.DuckDBPyConnection, combination: Combination, attributes: Mapping[str, Attribute]
) -> np.ndarray:
    """One grouping of the linked leaves, made dense and summed to the combination's levels."""
    names = [name for name, _ in combination]
    keys = ", ".join(f'"{name}"' for name in names)
    groups = engine.execute(f"select {keys}, count(*) as n from linked group by all").fetchnumpy()
    nodes = [attributes[n].ancestors(attributes[n].depth, level)[groups[n]] for n, level in combination]
    cells = np.ravel_multi_index(nodes, shape_of(combination, attributes))
    sizes = shape_of(combination, attributes)
    return np.bincount(cells, groups["n"], int(np.prod(sizes))).astype(np.int64).reshape(sizes)


if __name__ == "__main__":
    main()
