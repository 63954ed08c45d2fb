"""Invoices as PDFs: how many a second in one process, the same bytes again, and whether memory stays flat."""

import importlib
import resource
import sys
import time
from datetime import timedelta
from pathlib import Path

from bench.stage import conclude, flags, median, spread, stage

DOCUMENTS = 10_000
QUICK = 300
ROUNDS = 5
AGAIN = 20


def resident_mb() -> int:
    """What this process holds now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() // 2**20


def main(quick: bool = False, as_json: bool = False) -> int:
    """Each document once; rounds of equal size, the first fifth of which warms up what is loaded once."""
    count = QUICK if quick else DOCUMENTS
    with stage():
        people = importlib.import_module("bench.people")
        pdf = importlib.import_module("demarc.billing.pdf")
        models = importlib.import_module("demarc.billing.models")
        billing = importlib.import_module("demarc.billing.actions")
        actors = importlib.import_module("demarc.base.actors")
        clock = importlib.import_module("demarc.base.clock")
        at = clock.now() - timedelta(days=1)
        partner = people.provider()
        for start in range(0, count, people.CHUNK):
            services = people.held(partner, min(people.CHUNK, count - start), start, "recurring")
            billing.activate_many(services, by=actors.SYSTEM, at=at)
        documents = list(models.Document.objects.order_by("id").values_list("id", flat=True)[:count])
        pdf.render(documents[0])
        rates, cpu_ms, held = [], [], []
        size = len(documents) // ROUNDS
        for number in range(ROUNDS):
            some = documents[number * size : (number + 1) * size]
            began, worked = time.monotonic(), time.process_time()
            for document in some:
                pdf.render(document)
            rates.append(len(some) / (time.monotonic() - began))
            cpu_ms.append(1000 * (time.process_time() - worked) / len(some))
            held.append(resident_mb())
        differing = sum(pdf.render(document) != pdf.render(document) for document in documents[:AGAIN])
    grown = held[-1] - held[0]
    rows = [
        ("pdf_per_s", spread(rates), ">= 15"),
        ("cpu_ms", spread(cpu_ms), ""),
        ("grown_mb", f"{grown} (of {held[0]})", "flat"),
        ("differing", str(differing), "0"),
    ]
    figures: dict[str, object] = {
        "pdf_per_s": round(median(rates), 1),
        "cpu_ms": round(median(cpu_ms), 1),
        "grown_mb": grown,
        "held_mb": held[-1],
        "differing": differing,
        "documents": len(documents),
    }
    conclude(rows, figures, as_json=as_json)
    return 0


if __name__ == "__main__":
    sys.exit(main(**flags()))
