"""The demo's customers as plain data: who they are, what they hold, how they pay. Deterministic; no database."""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from demarc.project.demo import names

DAYS = 30
KNOWN_PEOPLE = (
    ("Ana Puig Serra", "ana", "ana-secret", "Fibre 100", "ahead"),
    ("Ben O'Brien", "ben", "ben-secret", "Fibre 100", "late"),
    ("Greta Larsen", "greta", "greta-secret", "Vacation 50", "runs_out"),
    ("Rosa F. Camps", "User", "clientPass", "Fibre 300", "ahead"),
)
"""Customers whom README and the tour name, the last one with the login of RFC 2759 section 9.2: login, password, plan,
habit."""

FIXED_PLANS = ("Fibre 100", "Fibre 300", "Fibre 600", "Wireless 20", "Wireless 50")
WEIGHTS = (35, 25, 8, 20, 12)
STATIC_ADDRESSES = range(10, 210)


@dataclass(frozen=True, slots=True)
class Person:
    """One customer. `habit`: ahead (pays in time), late (has stopped paying), runs_out (a few days left); `fate`:
    active, new (not connected yet), blocked (by staff), inactive (gone). `joined` days ago, at most DAYS."""

    name: str
    category: str
    login: str
    password: str
    plan: str
    prepaid: bool
    habit: str
    fate: str
    joined: int
    address: dict[str, str]
    static_ipv4: str | None = None

    @property
    def vacation(self) -> bool:
        """A guest for some weeks."""
        return self.plan.startswith("Vacation")


def people(count: int, seed: int) -> Iterator[Person]:
    """`count` customers: 70 % pay monthly, 25 % are prepaid, 5 % holiday guests, who are prepaid too."""
    random = Random(f"demarc demo {seed}")
    for number in range(count):
        yield _known(number, random) if number < len(KNOWN_PEOPLE) else _anybody(number, random)


def _known(number: int, random: Random) -> Person:
    name, login, password, plan, habit = KNOWN_PEOPLE[number]
    return Person(name, "person", login, password, plan, True, habit, "active", DAYS, names.address(random))


def _anybody(number: int, random: Random) -> Person:
    kind = random.choices(("monthly", "prepaid", "vacation"), (70, 25, 5))[0]
    firm = kind == "monthly" and random.random() < 0.08
    name = names.company(random) if firm else names.person(random)
    plan = "Vacation 50" if kind == "vacation" else random.choices(FIXED_PLANS, WEIGHTS)[0]
    fate = random.choices(("active", "new", "blocked", "inactive"), (955, 20, 10, 15))[0]
    static = firm and number in STATIC_ADDRESSES
    return Person(
        name=name,
        category="company" if firm else "person",
        login=f"cf{number + 1:06d}",
        password=f"{random.getrandbits(48):012x}",
        plan=plan,
        prepaid=kind != "monthly",
        habit=random.choices(("ahead", "late", "runs_out"), (80, 12, 8))[0],
        fate=fate,
        joined=random.randint(5, DAYS) if kind == "vacation" else DAYS,
        address=names.address(random),
        static_ipv4=f"203.0.113.{number}" if static else None,
    )


def payments(person: Person, price: int, seed: int) -> dict[int, int]:
    """What a prepaid person pays, minor units by days ago; `price` is a month's. Somebody late has stopped paying."""
    random = Random(f"demarc demo {seed} {person.login}")
    if person.habit == "runs_out":
        return {person.joined: price * (person.joined + random.randint(1, 3)) // DAYS}
    late = person.habit == "late"
    every = random.choice((7, 10) if late else (7, 10, 15, 30))
    portion = -(-price * every // 27 // 100) * 100
    last = min(random.randint(12, 18), person.joined - 1) if late else 0
    return dict.fromkeys(range(person.joined, last, -every), portion)


def pays_after(person: Person, seed: int) -> int | None:
    """How many days after a document's date somebody recurring pays it; of the late half pay after they were blocked,
    the others never (None)."""
    random = Random(f"demarc demo {seed} {person.login} documents")
    if person.habit == "late":
        return random.choice((19, 21, None, None))
    return random.randint(13, 14) if person.habit == "runs_out" else random.randint(2, 12)
